import { expect, test } from "vitest";
import {
  type ChartLine,
  countMarks,
  isolatedIndices,
  lowerBound,
  prepareChart,
  prepareYRange,
} from "./prepare-chart.ts";
import { summariseChart } from "./prepare-summary.ts";
import { tipRows } from "./prepare-tip.ts";
import { emptyWindow } from "./window-request.ts";

const settings = { axis: "step" as const, smoothing: 0, yMode: "auto" as const, fitAll: false };
function line(
  id: string,
  steps: number[],
  values: (number | null)[],
  change: Partial<ChartLine> = {},
): ChartLine {
  const request = {
    runId: 1,
    name: "loss",
    x: "step" as const,
    from: null,
    to: null,
    maxPoints: 300,
    superseded: false,
  };
  const window = emptyWindow(request);
  window.num_points = steps.length;
  window.buckets = {
    first_step: steps,
    last_step: steps,
    first_time: steps,
    last_time: steps,
    min: values,
    max: values,
    mean: values,
    count: steps.map(() => 1),
    nan: values.map((value) => (value === null ? 1 : 0)),
    pos_inf: steps.map(() => 0),
    neg_inf: steps.map(() => 0),
  };
  return { id, label: id, slot: 0, faint: false, window, startedAt: 0, ...change };
}

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

test("tips name the nearest curve first and say NaN", () => {
  const chart = prepareChart(
    [line("far", [0, 1], [9, 9]), line("near", [0, 1], [1, 1]), line("sick", [0, 1], [1, null])],
    settings,
  );
  const { rows } = tipRows(chart, 1, 1.2);
  expect(rows.map((row) => row.label)).toEqual(["near", "far", "sick"]);
  expect(rows[2]?.value).toBeNaN();
});

test("a tip has at most eight rows and says how many more there are", () => {
  const lines = Array.from({ length: 11 }, (_, index) => line(`r${index}`, [0], [index]));
  const { rows, numMore } = tipRows(prepareChart(lines, settings), 0, 0);
  expect(rows).toHaveLength(8);
  expect(numMore).toBe(3);
});

test("the spoken summary has range, end and direction", () => {
  const steps = Array.from({ length: 100 }, (_, index) => index);
  const chart = prepareChart(
    [
      line(
        "a",
        steps,
        steps.map((step) => step * 2),
      ),
    ],
    settings,
  );
  expect(summariseChart(chart)[0]).toEqual({
    label: "a",
    points: 100,
    min: 0,
    max: 198,
    first: 0,
    last: 198,
    trend: "rising",
    numNonFinite: 0,
  });
});
