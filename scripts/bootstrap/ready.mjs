// Brings a checkout to the point where everything can run, doing only the steps that are due.
import path from "node:path";
import { bundles } from "./bundles.mjs";
import { withLock } from "./lock.mjs";
import { nodePackages } from "./node-packages.mjs";
import { stampFolder } from "./paths.mjs";
import { pythonDevelopment, pythonEnvironment } from "./python-environment.mjs";
import { endWith, say, seconds } from "./say.mjs";
import { readStamp, removeStamp, writeStamp } from "./stamps.mjs";

/**
 * Makes the checkout ready. `dev` adds what tests and checks need; `build: false` leaves dist/ alone.
 * Returns how long downloads and everything else took, in milliseconds.
 */
export async function ensureReady({ dev = false, build = true } = {}) {
  const steps = [nodePackages, pythonEnvironment];
  if (dev) steps.push(pythonDevelopment);
  if (build) steps.push(bundles);
  return doDueSteps(steps);
}

/** Does those of the steps whose stamp is missing or for other inputs, in order, alone in this checkout. */
export async function doDueSteps(steps) {
  if (steps.every(isDone)) return { downloadMs: 0, otherMs: 0 };
  return withLock(path.join(stampFolder, "lock"), () => runSteps(steps), tellWaiting);
}

/** `node scripts/bootstrap.mjs [--dev] [--no-build]` */
export async function runAsCommand(flags) {
  try {
    const { downloadMs, otherMs } = await ensureReady({
      dev: flags.includes("--dev"),
      build: !flags.includes("--no-build"),
    });
    say(`Ready (downloads ${seconds(downloadMs)}, the rest ${seconds(otherMs)}).`);
  } catch (error) {
    endWith(error);
  }
}

async function runSteps(steps) {
  const spent = { downloadMs: 0, otherMs: 0 };
  for (const step of steps) if (!isDone(step)) step.foresee?.();
  for (const step of steps) {
    // Asked again under the lock: whoever held it may have done the work.
    if (isDone(step)) continue;
    const started = performance.now();
    removeStamp(step.name);
    await step.run();
    writeStamp(step.name, { fingerprint: step.fingerprint(), finished: Date.now() / 1000 });
    const tookMs = performance.now() - started;
    spent[step.isDownload ? "downloadMs" : "otherMs"] += tookMs;
    say(`  done: ${step.name.replace("-", " ")} (${seconds(tookMs)})`);
  }
  return spent;
}

function isDone(step) {
  return readStamp(step.name)?.fingerprint === step.fingerprint() && step.isIntact();
}

function tellWaiting(pid) {
  say(
    `Another setup of this checkout is running (process ${pid ?? "unknown"}); waiting for it ...`,
  );
}
