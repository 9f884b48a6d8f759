import { expect, test } from "vitest";
import { DEFAULT_VIEW, formatView, parseView, stepSmoothing } from "./prepare-view.ts";

test("what the address says is what is shown, and back again", () => {
  const query = {
    x: "time",
    smooth: "0.6",
    y: "log",
    from: "1200",
    to: "1900.5",
    q: "grad",
    cols: "2",
    ancestors: "0",
  };
  const view = parseView(query);
  expect(view).toEqual({
    axis: "time",
    smoothing: 0.6,
    yMode: "log",
    range: [1200, 1900.5],
    filter: "grad",
    columns: 2,
    superseded: false,
    ancestors: false,
  });
  expect(formatView(view)).toMatchObject(query);
});

test("nonsense in the address is the default", () => {
  expect(parseView({ x: "?", smooth: "much", from: "9", to: "3", cols: "99" })).toEqual(
    DEFAULT_VIEW,
  );
  expect(parseView({ smooth: "7" }).smoothing).toBe(0.99);
});

test("defaults are left out of the address", () => {
  expect(Object.values(formatView(DEFAULT_VIEW)).every((value) => value === undefined)).toBe(true);
});

test("steps stay whole in the address", () => {
  expect(formatView({ ...DEFAULT_VIEW, range: [10.4, 20.6] })).toMatchObject({
    from: "10",
    to: "21",
  });
});

test("smoothing goes by twentieths up to 0.99 and back", () => {
  expect(stepSmoothing(0, 1)).toBe(0.05);
  expect(stepSmoothing(0.95, 1)).toBe(0.99);
  expect(stepSmoothing(0.99, -1)).toBe(0.95);
  expect(stepSmoothing(0, -1)).toBe(0);
});
