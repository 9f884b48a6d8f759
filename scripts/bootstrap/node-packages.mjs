// The step that installs the npm packages exactly as the lockfile names them.
import { existsSync, readFileSync } from "node:fs";
import { inRoot } from "./paths.mjs";
import { runVisibly } from "./programs.mjs";
import { say } from "./say.mjs";
import { hashOf } from "./stamps.mjs";

export const nodePackages = {
  name: "node-packages",
  isDownload: true,

  fingerprint() {
    const manifests = ["package.json", "package-lock.json"];
    return `${hashOf(inRoot(), manifests)} ${process.platform}-${process.arch}`;
  },

  isIntact() {
    return existsSync(inRoot("node_modules/.package-lock.json"));
  },

  async run() {
    if (matchesLockfile()) {
      say("npm packages: already installed as the lockfile says.");
      return;
    }
    say("npm packages: about 150 MB to download, 450 MB on disk ...");
    const { program, args } = npm();
    // Nothing of ours relies on install scripts, so none is run: quicker, and one thing less to trust.
    const flags = [
      "ci",
      "--include=dev",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--no-update-notifier",
    ];
    await runVisibly(program, [...args, ...flags, "--prefer-offline", "--loglevel=error"], {
      env: cleanEnvironment(),
      problem:
        "npm could not install the packages. Is the network (or the proxy that npm is configured for) reachable? Repeat the same command when it is.",
    });
  },
};

// The npm that started us, so that its version and configuration stay the same; else the one on PATH.
function npm() {
  const script = process.env.npm_execpath;
  if (script !== undefined && /npm-cli\.js$/.test(script) && existsSync(script)) {
    return { program: process.execPath, args: [script] };
  }
  return { program: "npm", args: [] };
}

// NODE_ENV=production would leave out what builds the bundles; npm_* would hand the outer npm's
// one-off settings to the inner one.
function cleanEnvironment() {
  const kept = Object.entries(process.env).filter(
    ([name]) => name !== "NODE_ENV" && !name.startsWith("npm_"),
  );
  return Object.fromEntries(kept);
}

// npm writes its own record last. When it names every package of our lockfile with the same version,
// somebody has run `npm ci` already and doing it again would only cost time.
function matchesLockfile() {
  const installedFile = inRoot("node_modules/.package-lock.json");
  if (!existsSync(installedFile)) return false;
  const installed = JSON.parse(readFileSync(installedFile, "utf8")).packages;
  const wanted = JSON.parse(readFileSync(inRoot("package-lock.json"), "utf8")).packages;
  const needed = Object.entries(wanted).filter(([place]) => place.includes("node_modules/"));
  return needed.every(([place, entry]) => {
    const present = installed[place];
    if (present === undefined) return entry.optional === true || entry.devOptional === true;
    return present.version === entry.version && existsSync(inRoot(place));
  });
}
