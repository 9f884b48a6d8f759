// Finds and runs the scripts of a folder by their short names; the benches and the seed scenarios.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { environmentPython, inRoot } from "./bootstrap/paths.mjs";

/** Maps short name → file for the files of `folder` that end with one of `endings`. */
export function listScripts(folder, endings) {
  if (!existsSync(inRoot(folder))) return new Map();
  const found = new Map();
  for (const file of readdirSync(inRoot(folder)).sort()) {
    const ending = endings.find((candidate) => file.endsWith(candidate));
    if (ending !== undefined && !file.endsWith(".test.ts")) {
      found.set(file.slice(0, -ending.length), path.join(folder, file));
    }
  }
  return found;
}

/** Runs one script in its own process and resolves with its exit code. */
export function runScript(file, args) {
  const isPython = file.endsWith(".py");
  const program = isPython ? environmentPython : process.execPath;
  const runner = file.endsWith(".ts") ? [inRoot("scripts/run-ts.mjs")] : [];
  const env = isPython ? { ...process.env, PYTHONPATH: inRoot("worker/src") } : process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...runner, inRoot(file), ...args], { stdio: "inherit", env });
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}
