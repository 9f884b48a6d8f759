// Runs vitest and pytest and reads how many tests passed and failed from their machine reports.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { cacheFolder, environmentPython, inRoot, root } from "../bootstrap/paths.mjs";

export async function runVitest(project, args, env) {
  const report = freshReport(`vitest-${project}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const program = [inRoot("node_modules/vitest/vitest.mjs"), "run", "--project", project];
  const code = await runIn(root, process.execPath, [...program, ...reporters, ...args], env);
  return countOrFail(code, report, countVitest);
}

export async function runPytest(args, env) {
  const report = freshReport("pytest.xml");
  // The whole tier on two processes: most tests train with one thread or wait for one. A chosen few start sooner alone.
  const shared = args.length === 0 ? ["--numprocesses=2", "--dist=loadfile"] : [];
  const flags = ["-m", "pytest", `--junitxml=${report}`, ...shared, ...args];
  const code = await runIn(inRoot("worker"), environmentPython, flags, env);
  return countOrFail(code, report, countPytest);
}

export function countVitest(text) {
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(text);
  // A test that did not run proves nothing: it counts against us.
  return { passed: numPassedTests, failed: numFailedTests + numPendingTests, withoutGpu: 0 };
}

/** Only what lacks a GPU may be left out; every other test that did not run counts against us. */
export function countPytest(text) {
  const totals = /<testsuite [^>]*>/.exec(text)?.[0] ?? "";
  const count = (name) => Number(new RegExp(` ${name}="(\\d+)"`).exec(totals)?.[1] ?? 0);
  const withoutGpu = [...text.matchAll(/<skipped [^>]*message="needs a GPU/g)].length;
  const failed = count("failures") + count("errors") + count("skipped") - withoutGpu;
  return { passed: count("tests") - failed - withoutGpu, failed, withoutGpu };
}

/** "5 passed, 0 failed", and what the machine could not run. */
export function tally({ passed, failed, withoutGpu }) {
  const skipped = withoutGpu > 0 ? `, ${withoutGpu} skipped: need a GPU` : "";
  return `${passed} passed, ${failed} failed${skipped}`;
}

// A runner that ends badly without a failed test (a file that does not load, nothing found, a crash)
// is one failure: the closing line must never look better than the exit code.
function countOrFail(code, report, count) {
  const counted = existsSync(report)
    ? count(readFileSync(report, "utf8"))
    : { passed: 0, failed: 0, withoutGpu: 0 };
  if (code !== 0 && counted.failed === 0) return { ...counted, failed: 1 };
  return counted;
}

function freshReport(name) {
  const folder = path.join(cacheFolder, "test");
  mkdirSync(folder, { recursive: true });
  const report = path.join(folder, name);
  rmSync(report, { force: true });
  return report;
}

function runIn(cwd, program, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", "inherit", "inherit"] });
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}
