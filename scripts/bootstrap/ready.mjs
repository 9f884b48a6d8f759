// Brings a checkout to the point where everything can run, doing only the steps that are due.
import path from "node:path";
import { bundles } from "./bundles.mjs";
import { withLock } from "./lock.mjs";
import { nodePackages } from "./node-packages.mjs";
import { stampFolder } from "./paths.mjs";
import { pythonDevelopment, pythonEnvironment, requirementSets } from "./python-environment.mjs";
import { endWith, SetupProblem, say, seconds } from "./say.mjs";
import { readStamp, removeStamp, writeStamp } from "./stamps.mjs";

/**
 * Makes the checkout ready. `dev` adds what tests and checks need; `sets` names requirement sets that
 * only some recipes need; `build: false` leaves dist/ alone.
 * Returns how long downloads and everything else took, in milliseconds.
 */
export async function ensureReady({ dev = false, build = true, sets = [] } = {}) {
  const steps = [nodePackages, pythonEnvironment];
  if (dev) steps.push(pythonDevelopment);
  // The tests import every recipe, so that none of them is skipped for a missing package.
  for (const name of dev ? Object.keys(requirementSets) : sets) steps.push(requirementSets[name]);
  if (build) steps.push(bundles);
  return doDueSteps(steps);
}

/** Does those of the steps whose stamp is missing or for other inputs, in order, alone in this checkout. */
export async function doDueSteps(steps) {
  if (steps.every(isDone)) return { downloadMs: 0, otherMs: 0 };
  return withLock(path.join(stampFolder, "lock"), () => runSteps(steps), tellWaiting);
}

/** `npm run setup -- [--dev] [--no-build] [requirement set ...]` */
export async function runAsCommand(words) {
  try {
    const { downloadMs, otherMs } = await ensureReady({
      dev: words.includes("--dev"),
      build: !words.includes("--no-build"),
      sets: words.filter((word) => !word.startsWith("--")).map(knownSet),
    });
    say(`Ready (downloads ${seconds(downloadMs)}, the rest ${seconds(otherMs)}).`);
  } catch (error) {
    endWith(error);
  }
}

function knownSet(name) {
  if (requirementSets[name] !== undefined) return name;
  const known = Object.keys(requirementSets).join(", ");
  throw new SetupProblem(`There is no requirement set "${name}". Sets: ${known}.`);
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
