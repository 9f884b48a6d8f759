// What the Python environment holds, read from its files: starting Python and importing torch takes seconds.
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { SystemInfo } from "@spotter/contract";

const missing =
  "No Python environment is set up for training; run `npm start` once more and read its output.";

export async function readPythonFacts(environment: string): Promise<SystemInfo["python"]> {
  const version = await pythonVersion(environment);
  if (version === null) return { ready: false, version: null, torch: null, message: missing };
  const torch = await packageVersion(environment, version, "torch");
  return torch === null
    ? { ready: false, version, torch: null, message: `PyTorch is missing in ${environment}.` }
    : { ready: true, version, torch, message: null };
}

async function pythonVersion(environment: string): Promise<string | null> {
  const text = await orNull(readFile(path.join(environment, "pyvenv.cfg"), "utf8"));
  return /^version(?:_info)?\s*=\s*([0-9]+\.[0-9]+(?:\.[0-9]+)?)/m.exec(text ?? "")?.[1] ?? null;
}

async function packageVersion(
  environment: string,
  version: string,
  name: string,
): Promise<string | null> {
  const [major, minor] = version.split(".");
  const folder = path.join(environment, "lib", `python${major}.${minor}`, "site-packages");
  const entries = (await orNull(readdir(folder))) ?? [];
  const info = new RegExp(`^${name}-([^-]+)\\.dist-info$`);
  return entries.map((entry) => info.exec(entry)?.[1]).find((found) => found !== undefined) ?? null;
}

async function orNull<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
