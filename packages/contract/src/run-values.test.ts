// What is shown of a run's time and values.
import { describe, expect, it } from "vitest";
import { epochOf, headlineValue, trainedSeconds } from "./run-values.ts";

describe("the time that a run has trained", () => {
  it("counts what its attempts trained, the present one up to now", () => {
    const run = { started_at: 100, trained_s: 13, training_since: null };
    expect(trainedSeconds(run, 1000)).toBe(13);
    expect(trainedSeconds({ ...run, training_since: 990 }, 1000)).toBe(23);
    expect(trainedSeconds({ ...run, started_at: null }, 1000)).toBeNull();
  });
  it("never runs backwards where the worker's clock is ahead", () => {
    const run = { started_at: 100, trained_s: 13, training_since: 1001 };
    expect(trainedSeconds(run, 1000)).toBe(13);
  });
});

describe("a headline value", () => {
  it("is the epoch's mean where there is one, else the last value", () => {
    const run = {
      metrics: { "train/accuracy": 0, "val/accuracy": 0.9 },
      epoch_means: { "train/accuracy": 0.93 },
    };
    expect(headlineValue(run, "train/accuracy")).toEqual({ value: 0.93, isMean: true });
    expect(headlineValue(run, "val/accuracy")).toEqual({ value: 0.9, isMean: false });
    expect(headlineValue(run, "train/loss")).toBeNull();
  });
});

describe("the epoch that a run is in", () => {
  it("is none for who told none, and counts from 1", () => {
    expect(epochOf(null)).toBeNull();
    expect(epochOf({ epoch: 0, total_epochs: 3 })).toBeNull();
    expect(epochOf({ epoch: 1, total_epochs: null })).toEqual({ epoch: 1, total: null });
    expect(epochOf({ epoch: 2, total_epochs: 3 })).toEqual({ epoch: 2, total: 3 });
  });
});
