// Tests of doing the steps that are due: once, again after a failure or a change, and with their times.
import { afterEach, beforeEach, expect, test } from "vitest";
import { doDueSteps } from "./ready.mjs";
import { removeStamp } from "./stamps.mjs";

const name = `test-step-${process.pid}`;
let runs = 0;
let inputs = "a";
let isBroken = false;
let isGone = false;

const step = {
  name,
  isDownload: true,
  fingerprint: () => inputs,
  isIntact: () => !isGone,
  run: () => {
    runs += 1;
    return isBroken ? Promise.reject(new Error("interrupted")) : Promise.resolve();
  },
};

beforeEach(() => {
  runs = 0;
  inputs = "a";
  isBroken = false;
  isGone = false;
});

afterEach(() => {
  removeStamp(name);
});

test("a step that is done is not done again", async () => {
  const first = await doDueSteps([step]);
  expect(first.downloadMs).toBeGreaterThan(0);
  expect(first.otherMs).toBe(0);
  expect(await doDueSteps([step])).toEqual({ downloadMs: 0, otherMs: 0 });
  expect(runs).toBe(1);
});

test("a step whose inputs changed, or whose result is gone, is done again", async () => {
  await doDueSteps([step]);
  inputs = "b";
  await doDueSteps([step]);
  isGone = true;
  await doDueSteps([step]);
  expect(runs).toBe(3);
});

test("an interrupted step leaves no stamp, not even the one from before", async () => {
  await doDueSteps([step]);
  inputs = "b";
  isBroken = true;
  await expect(doDueSteps([step])).rejects.toThrow("interrupted");
  inputs = "a";
  isBroken = false;
  await doDueSteps([step]);
  expect(runs).toBe(3);
});

test("what a step foresees is said before any step begins", async () => {
  const foreseeing = {
    ...step,
    name: `${name}-second`,
    foresee: () => {
      throw new Error("install this first");
    },
  };
  await expect(doDueSteps([step, foreseeing])).rejects.toThrow("install this first");
  expect(runs).toBe(0);
});

test("two at once do it once", async () => {
  await Promise.all([doDueSteps([step]), doDueSteps([step])]);
  expect(runs).toBe(1);
});
