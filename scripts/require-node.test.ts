// Tests of the gate in front of every script.
import { readFileSync } from "node:fs";
import vm from "node:vm";
import { expect, test } from "vitest";

function runGate(version: string): { said: string; exitCode: number | undefined } {
  const seen = { said: "", exitCode: undefined as number | undefined };
  const sandbox = {
    process: {
      versions: { node: version },
      exit: (code: number) => {
        seen.exitCode = code;
      },
    },
    console: {
      error: (line: string) => {
        seen.said += line;
      },
    },
  };
  vm.runInNewContext(readFileSync("scripts/require-node.cjs", "utf8"), sandbox);
  return seen;
}

test.each(["10.24.1", "18.20.4", "20.18.3"])("Node %s is refused with a sentence", (version) => {
  const { said, exitCode } = runGate(version);
  expect(exitCode).toBe(1);
  expect(said).toContain(`needs Node.js 20.19 or newer; this is ${version}`);
});

test.each(["20.19.0", "22.0.0", "24.1.0"])("Node %s passes", (version) => {
  expect(runGate(version)).toEqual({ said: "", exitCode: undefined });
});

test("every npm script passes the gate first", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  for (const script of Object.values(scripts)) {
    // The shell may set what a process cannot set for itself any more.
    expect(script).toMatch(/^([A-Z_]+=\S+ )*node -r \.\/scripts\/require-node\.cjs /);
  }
});
