import { expect, test } from "vitest";
import { headlines, keptOf, progressShare, staleFor } from "./prepare-header.ts";

test("headlines leave out the best metric and the machine, in reading order", () => {
  const run = {
    best: { metric: "val/accuracy", value: 0.9, step: 1 },
    metrics: { "system/cpu": 3, "train/loss": 1, "val/accuracy": 0.8, "val/loss": "NaN" as const },
    epoch_means: {},
  };
  expect(headlines(run, 4)).toEqual([
    { name: "val/loss", value: "NaN", isMean: false },
    { name: "train/loss", value: 1, isMean: false },
  ]);
  expect(headlines(run, 1)).toHaveLength(1);
});

test("a mean over the last epoch stands before the value of its last batch", () => {
  const run = {
    best: null,
    metrics: { "train/accuracy": 0, "train/learning_rate": 0.1 },
    epoch_means: { "train/accuracy": 0.93 },
  };
  expect(headlines(run, 4)).toEqual([
    { name: "train/accuracy", value: 0.93, isMean: true },
    { name: "train/learning_rate", value: 0.1, isMean: false },
  ]);
});

test("what was kept of the old is told apart from the other metrics", () => {
  const metrics = {
    "continual/old_accuracy_before": 1,
    "continual/old_accuracy_after": 0.98,
    "continual/forgetting": 0.02,
    "val/loss": 0.1,
  };
  expect(keptOf(metrics)).toEqual({ before: 1, after: 0.98, forgetting: 0.02 });
  expect(headlines({ best: null, metrics, epoch_means: {} }, 4)).toEqual([
    { name: "val/loss", value: 0.1, isMean: false },
  ]);
  expect(keptOf({ "continual/old_accuracy_after": 0.5 })).toEqual({
    ...{ before: null, after: 0.5, forgetting: null },
  });
  expect(keptOf({ "val/loss": 0.1 })).toBeNull();
});

test("progress without a known end has no share", () => {
  const progress = {
    step: 30,
    total_steps: 120,
    epoch: 1,
    total_epochs: null,
    batch: 1,
    batches: null,
    eta_s: null,
    steps_per_s: null,
    lr_schedule: null,
    phase: "training" as const,
    time: 0,
  };
  expect(progressShare(progress)).toBe(0.25);
  expect(progressShare({ ...progress, total_steps: null })).toBeNull();
  expect(progressShare({ ...progress, step: 130 })).toBe(1);
});

test("silence of a running run is told after ten seconds", () => {
  expect(staleFor({ state: "running", last_event_at: 100 }, 109)).toBeNull();
  expect(staleFor({ state: "running", last_event_at: 100 }, 114)).toBe(14);
  expect(staleFor({ state: "paused", last_event_at: 100 }, 500)).toBeNull();
});
