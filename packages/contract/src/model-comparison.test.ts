// Which versions may be compared by their test metrics.
import { expect, it } from "vitest";
import { isShareMetric } from "./metrics.ts";
import { setDifferences } from "./model-comparison.ts";

const version = (id: number, config = {}, metrics = { "test/accuracy": 1, "val/accuracy": 1 }) => ({
  data: { source: { dataset_version: id }, name: "moods" },
  config: { epochs: id, ...config },
  metrics,
});

it("tells by what test sets differ: the data, or how it is split", () => {
  expect(setDifferences([version(1), version(1, { split_seed: 0, epochs: 9 })], "test")).toEqual([
    "split_seed",
  ]);
  expect(setDifferences([version(1), version(2)], "test")).toEqual(["data"]);
  expect(setDifferences([version(1), version(1)], "test")).toEqual([]);
});

it("knows that another validation share leaves the test set as it is", () => {
  const two = [version(1), version(1, { validation_fraction: 0.3 })];
  expect(setDifferences(two, "test")).toEqual([]);
  expect(setDifferences(two, "val")).toEqual(["validation_fraction"]);
});

it("says nothing where fewer than two were measured on a test set", () => {
  const untested = { "val/accuracy": 1 } as unknown as {
    "test/accuracy": number;
    "val/accuracy": number;
  };
  expect(setDifferences([version(1), version(2, {}, untested)], "test")).toEqual([]);
});

it("knows shares by the last part of a metric's name", () => {
  expect(["test/accuracy", "top5_accuracy", "val/f1", "macro_f1"].every(isShareMetric)).toBe(true);
  expect(["accuracy/loss", "test/loss", "train/accelerate"].some(isShareMetric)).toBe(false);
});
