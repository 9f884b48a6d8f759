import { expect, test } from "vitest";
import { fittingColumns, gridWindow, keyRows } from "./prepare-rows.ts";

test("of 100,000 charts only those within three screens exist", () => {
  const window = gridWindow(100_000, 2, 268, -1_000_000, 900);
  expect(window.end - window.first).toBeLessThan(60);
  expect(window.first % 2).toBe(0);
  expect(window.above + window.below + ((window.end - window.first) / 2) * 268).toBe(50_000 * 268);
});

test("a short list exists whole", () => {
  expect(gridWindow(3, 2, 268, 300, 900)).toEqual({ first: 0, end: 3, above: 0, below: 0 });
});

test("a phone has one column, a wide screen four", () => {
  expect(fittingColumns(366)).toBe(1);
  expect(fittingColumns(1024)).toBe(2);
  expect(fittingColumns(1880)).toBe(4);
});

test("one curve has no key, several have two a row, on a phone one", () => {
  expect(keyRows(1, false)).toEqual({ rows: 0, places: 0 });
  expect(keyRows(3, false)).toEqual({ rows: 2, places: 4 });
  expect(keyRows(2, true)).toEqual({ rows: 2, places: 2 });
  expect(keyRows(40, true)).toEqual({ rows: 6, places: 6 });
});
