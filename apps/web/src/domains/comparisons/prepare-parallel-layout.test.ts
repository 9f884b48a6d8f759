// Axes in pixels.
import { expect, it } from "vitest";
import { layOut, pathOf } from "./prepare-parallel-layout.ts";

it("stands axes side by side, high values on top, and reads a pointer back", () => {
  const layout = layOut(3, 844, false);
  expect(layout.point(0, 1)).toEqual({ x: 72, y: 48 });
  expect(layout.point(2, 0)).toEqual({ x: 772, y: 280 });
  expect(layout.placeOf(0, layout.point(1, 0.25).y)).toBeCloseTo(0.25);
  expect(layout.placeOf(0, -50)).toBe(1);
});

it("lays them below each other on a phone, high values to the right", () => {
  const layout = layOut(3, 366, true);
  expect(layout.point(1, 0)).toEqual({ x: 14, y: 124 });
  expect(layout.point(1, 1).x).toBe(352);
  expect(layout.placeOf(layout.point(0, 0.5).x, 0)).toBeCloseTo(0.5);
});

it("draws a run's line in pieces where it has no value", () => {
  const layout = layOut(4, 366, true);
  expect(pathOf(layout, [0, 1, null, 0.5])).toBe("M14.0 40.0L352.0 124.0M183.0 292.0h0.01");
  expect(pathOf(layout, [null, null, null, null])).toBe("");
});
