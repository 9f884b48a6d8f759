// Columns of the runs list.
import { expect, it } from "vitest";
import { gridOf, headingOf, isNumberColumn, isSortable } from "./prepare-columns.ts";

it("sorts by what the server can sort by only", () => {
  expect(isSortable("metric:val/loss")).toBe(true);
  expect(isSortable("duration")).toBe(true);
  expect(isSortable("best")).toBe(false);
  expect(isSortable("tags")).toBe(false);
});

it("heads metric columns with the metric's own name", () => {
  expect(headingOf("metric:val/loss", (key) => key)).toBe("val/loss");
  expect(headingOf("best", (key) => key)).toBe("runs.columnNames.best");
});

it("gives every column a width and puts numbers to the right", () => {
  expect(gridOf(["best", "tags"]).match(/minmax\([^)]*\)|\S+/g)).toHaveLength(6);
  expect(isNumberColumn("metric:val/loss")).toBe(true);
  expect(isNumberColumn("owner")).toBe(false);
});
