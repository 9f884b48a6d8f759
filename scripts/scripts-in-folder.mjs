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

/** Runs one script (JavaScript, TypeScript or Python) in its own process and resolves with its exit code. */
export function runScript(file, args) {
  const [program, ...before] = runnerOf(file);
  const env = { ...process.env };
  if (file.endsWith(".py"))
    env.PYTHONPATH = [inRoot("worker/src"), inRoot("sdk/src")].join(path.delimiter);
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...before, inRoot(file), ...args], { stdio: "inherit", env });
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

function runnerOf(file) {
  if (file.endsWith(".py")) return [environmentPython];
  return file.endsWith(".ts")
    ? [process.execPath, inRoot("scripts/run-ts.mjs")]
    : [process.execPath];
}
