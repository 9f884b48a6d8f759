import { expect, test } from "vitest";
import { computeYRange, findClipped, growLiveRange } from "./prepare-range.ts";

const linear = { kind: "linear" } as const;
const calm = Array.from({ length: 400 }, (_, index) => Math.sin(index / 10));
const all = [0, 399] as const;
const input = (values: (number | null)[]) => ({ low: values, high: values });

test("a range without outliers is the whole range with six per cent around it", () => {
  const range = computeYRange([input(calm)], all, linear, false);
  expect(range.clipped).toBe(false);
  expect(range.max).toBeCloseTo(1.12, 1);
});

test("one spike does not squash the rest, and Fit all shows it", () => {
  const spiked = [...calm];
  spiked[200] = 1000;
  const range = computeYRange([input(spiked)], all, linear, false);
  expect(range.clipped).toBe(true);
  expect(range.max).toBeLessThan(2);
  expect(computeYRange([input(spiked)], all, linear, true).max).toBeGreaterThan(1000);
});

test("a spike below three times the range is not cut off", () => {
  const spiked = [...calm];
  spiked[200] = 3;
  expect(computeYRange([input(spiked)], all, linear, false).clipped).toBe(false);
});

test("no series leaves the view because another one is larger", () => {
  const far = calm.map((value) => value + 1000);
  const range = computeYRange([input(calm), input(far)], all, linear, false);
  expect(range.min).toBeLessThan(-1);
  expect(range.max).toBeGreaterThan(1001);
});

test("only what is shown counts", () => {
  const rising = Array.from({ length: 400 }, (_, index) => index);
  const range = computeYRange([input(rising)], [100, 200], linear, false);
  expect(range.min).toBeGreaterThan(90);
  expect(range.max).toBeLessThan(210);
});

test("a constant lies in the middle; nothing at all is zero to one", () => {
  const range = computeYRange([input([5, 5])], [0, 1], linear, false);
  expect((range.min + range.max) / 2).toBeCloseTo(5);
  expect(range.max).toBeGreaterThan(5);
  expect(computeYRange([input([null])], [0, 0], linear, false)).toEqual({
    min: 0,
    max: 1,
    clipped: false,
  });
});

test("margins of a logarithm stay positive", () => {
  expect(computeYRange([input([0.001, 1000])], [0, 1], { kind: "log" }, false).min).toBeGreaterThan(
    0,
  );
});

test("clipped neighbours are one triangle with a count, on the side they left by", () => {
  const marks = findClipped(
    [0, 1, 2, 50, 51],
    input([9, 9, -9, 0, 9]),
    { min: -1, max: 1, clipped: true },
    5,
  );
  expect(marks).toEqual([
    { x: 0, side: "above", count: 2 },
    { x: 2, side: "below", count: 1 },
    { x: 51, side: "above", count: 1 },
  ]);
});

test("a live axis grows by a twentieth and then holds still", () => {
  const first = growLiveRange(null, 0, 100);
  expect(first).toEqual([0, 105]);
  expect(growLiveRange(first, 0, 104)).toEqual([0, 105]);
  expect(growLiveRange(first, 0, 106)[1]).toBeCloseTo(111.3);
});

test("a live axis of one point has a width, and one that was far too long is taken back", () => {
  expect(growLiveRange(null, 7, 7)).toEqual([7, 8]);
  expect(growLiveRange([0, 1000], 0, 100)).toEqual([0, 105]);
});
