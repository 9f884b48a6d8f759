import { expect, test } from "vitest";
import { smoothSeries } from "./prepare-smoothing.ts";

const x = Array.from({ length: 50 }, (_, index) => index);

test("no weight changes nothing", () => {
  expect(smoothSeries([0, 1], [3, 5], 0, 1)).toEqual([3, 5]);
});

test("a constant stays what it is from the very first point", () => {
  const smoothed = smoothSeries(
    x,
    x.map(() => 2),
    0.99,
    1,
  );
  for (const value of smoothed) expect(value).toBeCloseTo(2, 12);
});

test("equal spacing gives the usual debiased exponential mean", () => {
  const smoothed = smoothSeries([0, 1, 2], [1, 2, 4], 0.5, 1);
  expect(smoothed[0]).toBeCloseTo(1, 12);
  expect(smoothed[1]).toBeCloseTo((0.25 * 1 + 0.5 * 2) / 0.75, 12);
  expect(smoothed[2]).toBeCloseTo((0.125 * 1 + 0.25 * 2 + 0.5 * 4) / 0.875, 12);
});

test("the past fades with distance and not with the number of points", () => {
  const near = smoothSeries([0, 1], [0, 1], 0.9, 1)[1] ?? 0;
  const far = smoothSeries([0, 10], [0, 1], 0.9, 1)[1] ?? 0;
  expect(far).toBeGreaterThan(near);
});

test("a gap restarts it", () => {
  const smoothed = smoothSeries([0, 1, 2, 3], [100, 100, null, 1], 0.9, 1);
  expect(smoothed[2]).toBeNull();
  expect(smoothed[3]).toBeCloseTo(1, 12);
});

test("with a lead-in the left edge of a zoomed view does not bend", () => {
  const values = x.map((place) => Math.sin(place / 5));
  const whole = smoothSeries(x, values, 0.6, 1);
  const zoomed = smoothSeries(x.slice(20), values.slice(20), 0.6, 1);
  // Ten points of lead-in later nothing of the cut is left to see.
  expect(zoomed[10]).toBeCloseTo(whole[30] ?? 0, 2);
});
