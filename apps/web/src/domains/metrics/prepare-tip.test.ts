// Under the crosshair: a curve has a value only where it is drawn.
import { expect, test } from "vitest";
import { prepareChart } from "./prepare-chart.ts";
import { crosshairAt, markReach, tipRows } from "./prepare-tip.ts";
import { chartLine as line, chartSettings as settings } from "./test-lines.ts";

const at = (x: number, reach = 0.5) => ({ x, reach });

test("tips name the nearest curve first and say NaN", () => {
  const chart = prepareChart(
    [line("far", [0, 1], [9, 9]), line("near", [0, 1], [1, 1]), line("sick", [0, 1], [1, null])],
    settings,
  );
  const { rows } = tipRows(chart, at(1), 1.2);
  expect(rows.map((row) => row.label)).toEqual(["near", "far", "sick"]);
  expect(rows[2]?.value).toBeNaN();
});

test("before a fork only its ancestor has a value, behind it only the fork", () => {
  const ancestor = line("ancestor 3", [0, 50, 100], [3, 2, 1], { ancestor: true });
  const chart = prepareChart([line("fork", [110, 120], [7, 8]), ancestor], settings);
  expect(tipRows(chart, at(50), null).rows.map(({ label, value }) => [label, value])).toEqual([
    ["ancestor 3", 2],
  ]);
  expect(tipRows(chart, at(116), null).rows.map(({ label, value }) => [label, value])).toEqual([
    ["fork", 8],
  ]);
});

test("outside of a curve there is no value, and the tip is named after the crosshair", () => {
  const chart = prepareChart([line("short", [10, 20], [1, 2])], settings);
  for (const x of [2, 40]) expect(tipRows(chart, at(x), 1)).toEqual({ place: x, rows: [] });
  expect(tipRows(chart, at(20.4), 1)).toMatchObject({ place: 20, rows: [{ value: 2 }] });
});

test("on a line between two points the nearer one counts, and says where it is", () => {
  const chart = prepareChart([line("a", [0, 100], [1, 2])], settings);
  expect(tipRows(chart, at(70), null)).toMatchObject({
    place: 70,
    rows: [{ x: 100, value: 2, isAside: true }],
  });
});

test("curves of other steps do not pass for the step that the tip names", () => {
  const chart = prepareChart(
    [line("tens", [90, 100, 110], [1, 1, 1]), line("sevens", [91, 98, 105], [2, 2, 2])],
    settings,
  );
  expect(tipRows(chart, at(99.9, 5), null)).toMatchObject({
    place: 100,
    rows: [
      { label: "tens", isAside: false },
      { label: "sevens", x: 98, isAside: true },
    ],
  });
});

test("in a gap there is no value, and a NaN is not told as its neighbour", () => {
  const steps = [0, 1, 2, 3, 50, 51, 52];
  const chart = prepareChart([line("a", steps, [1, 1, 1, 1, 5, null, 5])], settings);
  expect(tipRows(chart, at(25), null).rows).toEqual([]);
  expect(tipRows(chart, at(51.1), null).rows[0]?.value).toBeNaN();
  expect(tipRows(chart, at(49.8), null).rows[0]?.value).toBe(5);
});

test("a bucket's mean says how many of its points were no numbers", () => {
  const thinned = line("a", [0, 1], [1, 2]);
  thinned.window.buckets.count = [4, 4];
  thinned.window.buckets.nan = [0, 3];
  const chart = prepareChart([thinned], settings);
  expect(tipRows(chart, at(1), null).rows[0]).toMatchObject({ value: 2, numNonFinite: 3 });
});

test("curves of equal names are told apart, and every curve has its row", () => {
  const lines = Array.from({ length: 11 }, (_, index) =>
    line(`r${index}`, [0], [index], { label: "same" }),
  );
  const { rows } = tipRows(prepareChart(lines, settings), at(0), null);
  expect(rows.map(({ id, value }) => [id, value])).toEqual(lines.map(({ id }, i) => [id, i]));
});

test("a finger's width of pixels is the reach, whatever the zoom", () => {
  expect(crosshairAt(5, [0, 1000], 500).reach).toBe(16);
  expect(crosshairAt(5, [0, 10], 500).reach).toBeCloseTo(0.16);
});

test("a dot stands on a curve only where the tip has a value of it", () => {
  const x = [0, 10, 20, 30, 40];
  const fork = [undefined, undefined, 5, undefined, 6];
  expect(markReach(x, fork, 4)).toBeLessThan(10);
  expect(markReach(x, fork, 50)).toBeLessThan(10);
  expect(markReach(x, fork, 33)).toBeGreaterThan(1000);
  expect(markReach(x, [1, null, 3, 3, 3], 12)).toBeLessThan(10);
});
