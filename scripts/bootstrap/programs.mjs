// Starts the programs that the setup needs and waits for them.
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { root } from "./paths.mjs";
import { SetupProblem } from "./say.mjs";

/**
 * Runs a program with its output on our terminal; a failure becomes `problem`. Lines that `isNoise`
 * are left out where nobody watches a progress bar.
 */
export function runVisibly(program, args, { env = process.env, cwd = root, problem, isNoise }) {
  const filters = isNoise !== undefined && !process.stdout.isTTY;
  const stdio = ["ignore", filters ? "pipe" : "inherit", "inherit"];
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, cwd, stdio });
    if (filters) {
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (!isNoise(line)) process.stdout.write(`${line}\n`);
      });
    }
    child.once("error", (error) => reject(new SetupProblem(`${problem}\n(${error.message})`)));
    child.once("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new SetupProblem(`${problem}\n(${program} ended with ${signal ?? code})`));
    });
  });
}

/** Runs a short program and returns its output, or undefined when it is not there or fails. */
export function askProgram(program, args, options = {}) {
  const answer = spawnSync(program, args, { encoding: "utf8", timeout: 30_000, ...options });
  return answer.status === 0 ? answer.stdout : undefined;
}
