import type { BucketColumns } from "@spotter/contract";
import { expect, test } from "vitest";
import {
  alignSeries,
  countShown,
  medianDifference,
  prepareSeries,
  windowUntil,
} from "./prepare-series.ts";

/** Buckets of one point each. */
function points(
  steps: number[],
  values: (number | "NaN" | "Infinity" | "-Infinity")[],
): BucketColumns {
  const finite = values.map((value) => (typeof value === "number" ? value : null));
  const times = steps.map((step) => 1000 + step / 10);
  return {
    first_step: steps,
    last_step: steps,
    first_time: times,
    last_time: times,
    min: finite,
    max: finite,
    mean: finite,
    count: steps.map(() => 1),
    nan: values.map((value) => (value === "NaN" ? 1 : 0)),
    pos_inf: values.map((value) => (value === "Infinity" ? 1 : 0)),
    neg_inf: values.map((value) => (value === "-Infinity" ? 1 : 0)),
  };
}

test("a value that is no number breaks the line and leaves a mark", () => {
  const prepared = prepareSeries(
    points([0, 1, 2, 3, 4], [1, "NaN", 3, "Infinity", "-Infinity"]),
    "step",
    0,
  );
  expect(prepared.mean).toEqual([1, null, 3, null, null]);
  expect(prepared.marks).toEqual([
    { x: 1, kind: "nan", count: 1 },
    { x: 3, kind: "pos-inf", count: 1 },
    { x: 4, kind: "neg-inf", count: 1 },
  ]);
  expect(prepared.numNonFinite).toBe(3);
});

test("a NaN among many finite values keeps their mean and is still marked", () => {
  const buckets = points([0, 10], [1, 2]);
  buckets.count = [50, 50];
  buckets.nan = [0, 3];
  const prepared = prepareSeries(buckets, "step", 0);
  expect(prepared.mean).toEqual([1, 2]);
  expect(prepared.marks).toEqual([{ x: 10, kind: "nan", count: 3 }]);
});

test("more than five usual distances without data are a gap", () => {
  const prepared = prepareSeries(points([0, 1, 2, 3, 9, 10], [1, 1, 1, 1, 1, 1]), "step", 0);
  expect(prepared.x).toEqual([0, 1, 2, 3, 6, 9, 10]);
  expect(prepared.mean[4]).toBeNull();
  const close = prepareSeries(points([0, 1, 2, 3, 8, 9], [1, 1, 1, 1, 1, 1]), "step", 0);
  expect(close.x).toHaveLength(6);
});

test("a gap inside one bucket breaks the line too", () => {
  const steps = [0, 10, 20, 30, 40, 140, 150, 160];
  const buckets = points(steps, [1, 2, 3, 4, 5, 6, 7, 8]);
  buckets.last_step = steps.map((step) => (step === 40 ? 135 : step + 5));
  const prepared = prepareSeries(buckets, "step", 0);
  expect(prepared.x.slice(4, 7)).toEqual([40, 87.5, 135]);
  expect(prepared.mean.slice(4, 7)).toEqual([5, null, 5]);
});

test("the band vanishes where each bucket is one point", () => {
  expect(prepareSeries(points([0, 1], [1, 2]), "step", 0).hasBand).toBe(false);
  const thinned = points([0, 1], [1, 2]);
  thinned.count = [3, 1];
  expect(prepareSeries(thinned, "step", 0).hasBand).toBe(true);
});

test("time axes place buckets in the middle of their time", () => {
  const buckets = points([0, 10], [1, 2]);
  buckets.last_time = [1002, 1005];
  expect(prepareSeries(buckets, "time", 1000).x).toEqual([1001, 1003]);
  expect(prepareSeries(buckets, "relative", 1000).x).toEqual([1, 3]);
});

test("a step that was logged twice is one place with both values in its band", () => {
  const prepared = prepareSeries(points([0, 1, 1, 2], [1, 5, 3, 1]), "step", 0);
  expect(prepared.x).toEqual([0, 1, 2]);
  expect([prepared.min[1], prepared.max[1], prepared.mean[1]]).toEqual([3, 5, 3]);
  expect(prepared.hasBand).toBe(true);
});

test("series on different x are joined over what they lack, and keep their own gaps", () => {
  const aligned = alignSeries([
    { x: [0, 2, 4], values: [[1, null, 3]] },
    { x: [1, 2], values: [[7, 8]] },
  ]);
  expect(aligned.x).toEqual([0, 1, 2, 4]);
  expect(aligned.values[0]).toEqual([1, undefined, null, 3]);
  expect(aligned.values[1]).toEqual([undefined, 7, 8, undefined]);
});

test("series on the same x are not copied", () => {
  const x = [0, 1];
  expect(
    alignSeries([
      { x, values: [[1, 2]] },
      { x: [0, 1], values: [[3, 4]] },
    ]).x,
  ).toBe(x);
});

test("the footer counts buckets and points of what is shown", () => {
  const buckets = points([0, 10, 20, 30], [1, 2, 3, 4]);
  buckets.count = [5, 6, 7, 8];
  expect(countShown(buckets, "step", 0, null)).toEqual({ shown: 4, points: 26 });
  expect(countShown(buckets, "step", 0, [10, 20])).toEqual({ shown: 2, points: 13 });
});

test("an empty series has no extent", () => {
  expect(prepareSeries(points([], []), "step", 0).extent).toBeNull();
});

test("the median of an even number of distances lies between the middle two", () => {
  expect(medianDifference([0, 1, 101])).toBe(50.5);
  expect(medianDifference([5])).toBe(0);
});

test("an ancestor's window ends with the step that its descendant began at", () => {
  const window = {
    ...{ run_id: 3, name: "train/loss", num_points: 4, num_buckets: 4, total_points: 4 },
    ...{ superseded_points: 0, attempts: [], last: null, commit_no: 9 },
    buckets: points([10, 20, 30, 40], [4, 3, 2, 1]),
  };
  const until = windowUntil(window, 20);
  expect(until.buckets.mean).toEqual([4, 3]);
  expect(until).toMatchObject({ num_buckets: 2, num_points: 2 });
  expect(windowUntil(window, 40)).toBe(window);
  expect(windowUntil(window, 5).buckets.mean).toEqual([]);
});
