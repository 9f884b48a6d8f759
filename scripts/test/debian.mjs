// Installs a Debian package when we may (Debian, as root); otherwise says that we may not.
import { readFileSync } from "node:fs";
import { askProgram, runVisibly } from "../bootstrap/programs.mjs";
import { say } from "../bootstrap/say.mjs";

/** True when apt-get may be used without asking: Debian itself, as root. */
export function mayInstall() {
  return isDebian() && process.getuid?.() === 0;
}

export async function installPackage(name, problem) {
  say(`Installing the Debian package ${name} for the tests ...`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const patience = ["-o", "DPkg::Lock::Timeout=300", "-qq"];
  await runVisibly("apt-get", [...patience, "update"], { env, problem });
  const flags = ["install", "-y", "--no-install-recommends"];
  await runVisibly("apt-get", [...patience, ...flags, name], { env, problem });
}

/** Where a program lies on PATH, or undefined. */
export function findOnPath(name) {
  return askProgram("sh", ["-c", `command -v "$1"`, "sh", name])?.trim();
}

// Not Ubuntu: its chromium package is an empty shell around a snap, which needs a running snapd.
function isDebian() {
  try {
    return /^ID="?debian"?$/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
}
