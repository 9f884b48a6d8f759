// The header says what the charts show: the summary, and what the stream told since.
import type { Run } from "@spotter/contract";
import { expect, test } from "vitest";
import { takeBatch, watchedNames, wentBack, withNewest } from "./prepare-newest.ts";

const run = {
  state: "running",
  metrics: { "train/loss": 0.9, "val/accuracy": 0.8, reward: 1 },
  best: { metric: "val/accuracy", value: 0.8, step: 100 },
  progress: { step: 118, total_steps: 200, epoch: 2, total_epochs: 3 },
  last_step: 118,
} as unknown as Run;
const batch = (series: Record<string, [step: number, value: number | "NaN"][]>, attempt = 1) => ({
  attempt,
  series: Object.fromEntries(
    Object.entries(series).map(([name, points]) => [
      name,
      {
        step: points.map(([step]) => step),
        time: points.map(() => 0),
        value: points.map(([, value]) => value),
      },
    ]),
  ),
});

test("values, step and best of the stream stand before those of an older summary", () => {
  const first = takeBatch(
    null,
    batch({
      "train/loss": [
        [119, 0.7],
        [120, 0.5],
      ],
    }),
    "val/accuracy",
  );
  const newest = takeBatch(first, batch({ "val/accuracy": [[120, 0.85]] }), "val/accuracy");
  expect(withNewest(run, newest)).toMatchObject({
    metrics: { "train/loss": 0.5, "val/accuracy": 0.85, reward: 1 },
    best: { metric: "val/accuracy", value: 0.85, step: 120 },
    progress: { step: 120, epoch: 2 },
  });
});

test("a worse value is no best, a NaN is the last value and never the best", () => {
  const newest = takeBatch(
    null,
    batch({
      "val/accuracy": [
        [119, 0.7],
        [120, "NaN"],
      ],
    }),
    "val/accuracy",
  );
  expect(withNewest(run, newest)).toMatchObject({
    metrics: { "val/accuracy": "NaN" },
    best: { value: 0.8, step: 100 },
  });
});

test("what the header never shows is not added, and readings of the machine are no steps", () => {
  const newest = takeBatch(
    null,
    batch({ "train/grad_norm": [[119, 3]], "system/cpu": [[9999, 1]] }),
    null,
  );
  const shown = withNewest(run, newest);
  expect(Object.keys(shown.metrics)).toEqual(Object.keys(run.metrics));
  expect(shown.progress?.step).toBe(119);
  expect(takeBatch(null, batch({ "system/cpu": [[9, 1]] }), null)).toBe(null);
});

test("no step lies behind the last one, and late news take nothing back", () => {
  const newest = takeBatch(null, batch({ reward: [[250, 2]] }), null);
  expect(withNewest(run, newest).progress?.step).toBe(200);
  const late = takeBatch(newest, batch({ reward: [[240, 9]] }), null);
  expect(withNewest(run, late).metrics.reward).toBe(2);
});

test("a new attempt begins anew, and one that is over says nothing more", () => {
  const first = takeBatch(null, batch({ reward: [[150, 5]], "train/loss": [[150, 0.1]] }), null);
  const second = takeBatch(first, batch({ reward: [[101, 3]] }, 2), null);
  expect(withNewest(run, second)).toMatchObject({ metrics: { reward: 3, "train/loss": 0.9 } });
  expect(takeBatch(second, batch({ reward: [[151, 7]] }, 1), null)).toBe(second);
});

test("a run that waits again, or that goes on from an earlier step, shows what its summary says", () => {
  const newest = takeBatch(null, batch({ reward: [[150, 5]] }), null);
  const waits = { ...run, state: "queued" } as Run;
  expect(withNewest(waits, newest)).toBe(waits);
  expect(wentBack(run, waits)).toBe(true);
  expect(wentBack(run, { ...run, last_step: 100 })).toBe(true);
  expect(wentBack(run, { ...run, progress: null })).toBe(true);
  expect(wentBack(run, { ...run, last_step: 119, state: "finished" })).toBe(false);
});

test("what is watched changes only with metrics of one's own names", () => {
  expect(watchedNames(null)).toEqual(["train/", "val/"]);
  expect(watchedNames(run)).toEqual(["reward", "train/", "val/"]);
});
