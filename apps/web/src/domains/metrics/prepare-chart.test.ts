import { expect, test } from "vitest";
import {
  countMarks,
  isolatedIndices,
  lowerBound,
  prepareChart,
  prepareYRange,
  showsNothing,
} from "./prepare-chart.ts";
import { chartLine as line, chartSettings as settings } from "./test-lines.ts";

test("a plain line is one column; a smoothed one has the raw values beneath", () => {
  const plain = prepareChart([line("a", [0, 1], [1, 2])], settings);
  expect(plain.data).toHaveLength(2);
  const smoothed = prepareChart([line("a", [0, 1], [1, 2])], { ...settings, smoothing: 0.9 });
  expect(smoothed.columns[0]).toMatchObject({ raw: 1, main: 2, low: null });
  expect(smoothed.data[1]).toEqual([1, 2]);
});

test("a thinned line has its band instead of the raw values", () => {
  const thinned = line("a", [0, 1], [1, 2]);
  thinned.window.buckets.count = [4, 4];
  const chart = prepareChart([thinned], { ...settings, smoothing: 0.9 });
  expect(chart.columns[0]).toMatchObject({ low: 1, high: 2, raw: null, main: 3 });
});

test("earlier attempts are faint: no band, no smoothing", () => {
  const faint = line("a", [0, 1], [1, 2], { faint: true });
  faint.window.buckets.count = [4, 4];
  expect(prepareChart([faint], { ...settings, smoothing: 0.9 }).data).toHaveLength(2);
});

test("new points of the same lines need no new chart, a band does", () => {
  const one = prepareChart([line("a", [0, 1], [1, 2])], settings);
  const two = prepareChart([line("a", [0, 1, 2], [1, 2, 3])], settings);
  expect(one.structure).toBe(two.structure);
  const banded = line("a", [0, 1], [1, 2]);
  banded.window.buckets.count = [2, 2];
  expect(prepareChart([banded], settings).structure).not.toBe(one.structure);
});

test("between two points the view still has a y range", () => {
  const chart = prepareChart([line("a", [0, 100], [1, 5])], settings);
  const { range } = prepareYRange(chart, [40, 60], false, 300);
  expect(range.min).toBeLessThan(1);
  expect(range.max).toBeGreaterThan(5);
});

test("a lone point between gaps is found; alignment is no gap", () => {
  expect(isolatedIndices([1, null, 2, null, 3, 3])).toEqual([0, 2]);
  expect(isolatedIndices([1, undefined, 2])).toEqual([]);
});

test("only marks that are shown are counted", () => {
  const marks = [1, 5, 9].map((x) => ({ x, kind: "nan" as const, count: 2 }));
  expect(countMarks(marks, [4, 9])).toBe(4);
});

test("lowerBound finds the first that is not below", () => {
  expect(lowerBound([1, 3, 5], 3)).toBe(1);
  expect(lowerBound([1, 3, 5], 6)).toBe(3);
});

test("a view beside all points shows nothing; one that a line crosses, or that only holds a NaN, shows something", () => {
  const chart = prepareChart([line("a", [10, 20, 30], [1, 2, null])], settings);
  expect(showsNothing(chart, [0, 5])).toBe(true);
  expect(showsNothing(chart, [40, 50])).toBe(true);
  expect(showsNothing(chart, [12, 18])).toBe(false);
  expect(showsNothing(chart, [22, 28])).toBe(true);
  expect(showsNothing(chart, [28, 32])).toBe(false);
});
