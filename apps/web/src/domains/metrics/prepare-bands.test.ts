// Several seeds as one curve: mean and 95 % t interval, over runs that need not have told the same steps.
import type { SeriesWindow } from "@spotter/contract";
import { expect, it } from "vitest";
import { mergeBands } from "./prepare-bands.ts";
import {
  type ChartLine,
  type ChartSettings,
  prepareChart,
  prepareYRange,
} from "./prepare-chart.ts";

function line(
  runId: number,
  steps: number[],
  values: (number | null)[],
  startedAt = 0,
  name = "val/loss",
): ChartLine {
  const count = values.map(() => 1);
  const none = values.map(() => 0);
  const window: SeriesWindow = {
    ...{ run_id: runId, name, num_points: steps.length, num_buckets: steps.length },
    ...{ total_points: steps.length, superseded_points: 0, attempts: [], commit_no: 1 },
    buckets: {
      ...{ first_step: steps, last_step: steps, min: values, max: values, mean: values, count },
      ...{
        first_time: steps.map((step) => startedAt + step),
        last_time: steps.map((step) => startedAt + step),
      },
      ...{ nan: values.map((value) => (value === null ? 1 : 0)), pos_inf: none, neg_inf: none },
    },
    last: { step: steps.at(-1) ?? 0, time: 0, value: values.at(-1) ?? "NaN" },
  };
  return { id: `${runId}`, label: `run ${runId}`, slot: 0, faint: false, window, startedAt };
}
const band = (runIds: number[]) => ({ id: "A", label: "lr 0.1", slot: 2, runIds });

it("draws the mean, and the t interval as the band", () => {
  const lines = [line(1, [0, 1], [1, 4]), line(2, [0, 1], [2, 5]), line(3, [0, 1], [3, 6])];
  const [merged, ...others] = mergeBands(lines, [band([1, 2, 3])], "step");
  expect(others).toEqual([]);
  expect(merged).toMatchObject({ label: "lr 0.1", slot: 2 });
  const { mean, min, max, count } = merged?.window.buckets ?? line(0, [], []).window.buckets;
  expect(mean).toEqual([2, 5]);
  // scipy.stats.t.interval(0.95, 2, loc=2, scale=1/sqrt(3)): 2 ± 2.484
  expect(min[0]).toBeCloseTo(2 - 2.4841377118, 8);
  expect(max[1]).toBeCloseTo(5 + 2.4841377118, 8);
  expect(count).toEqual([3, 3]);
  expect(merged?.window.last?.value).toBe(5);
});

it("takes the straight line between points, and nothing beyond a run's end", () => {
  const lines = [line(1, [0, 2, 4], [0, 2, 4]), line(2, [0, 1, 2], [2, 3, 4])];
  const [merged] = mergeBands(lines, [band([1, 2])], "step");
  expect(merged?.window.buckets.first_step).toEqual([0, 1, 2, 4]);
  expect(merged?.window.buckets.mean).toEqual([1, 2, 3, 4]);
  expect(merged?.window.buckets.count).toEqual([2, 2, 2, 1]);
});

it("leaves a NaN out of the mean, and marks it", () => {
  const lines = [line(1, [0, 1, 2], [1, null, 3]), line(2, [0, 1, 2], [3, 4, 5])];
  const [merged] = mergeBands(lines, [band([1, 2])], "step");
  expect(merged?.window.buckets.mean).toEqual([2, 4, 4]);
  expect(merged?.window.buckets.nan).toEqual([0, 1, 0]);
});

it("draws one run without a band, and a band without runs not at all", () => {
  const [merged] = mergeBands([line(1, [0, 1], [1, 2])], [band([1]), band([9])], "step");
  expect(merged?.window.buckets.min).toEqual([1, 2]);
  expect(merged?.window.buckets.count).toEqual([1, 1]);
});

it("puts runs of different days onto each other by their elapsed time", () => {
  const lines = [line(1, [0, 10], [1, 2], 1000), line(2, [0, 10], [3, 4], 90_000)];
  const [merged] = mergeBands(lines, [band([1, 2])], "relative");
  expect(merged).toMatchObject({ startedAt: 0 });
  expect(merged?.window.buckets.first_time).toEqual([0, 10]);
  expect(merged?.window.buckets.mean).toEqual([2, 3]);
});

it("keeps few enough places to draw, the last one among them", () => {
  const steps = Array.from({ length: 4000 }, (_, index) => index);
  const [merged] = mergeBands([line(1, steps, steps)], [band([1])], "step");
  const places = merged?.window.buckets.first_step ?? [];
  expect(places.length).toBeLessThanOrEqual(1501);
  expect(places.at(-1)).toBe(3999);
});

/** The y range of two seeds, whose interval is 12.7 times as wide as their spread. */
function rangeOf(
  first: number[],
  second: number[],
  name = "val/loss",
  yMode: "auto" | "log" = "auto",
) {
  const lines = [line(1, [0, 1], first, 0, name), line(2, [0, 1], second, 0, name)];
  const settings: ChartSettings = { axis: "step", smoothing: 0, yMode, fitAll: true };
  const chart = prepareChart(mergeBands(lines, [band([1, 2])], "step"), settings);
  return { chart, ...prepareYRange(chart, [0, 1], true, 300).range };
}

it("keeps the axis where the metric can be, though the interval reaches further", () => {
  const loss = rangeOf([0.5, 0.1], [1.5, 0.2]);
  // The interval itself stays as it is.
  expect(loss.chart.data[1]?.[0]).toBeLessThan(-5);
  expect(loss.min).toBeGreaterThan(-0.06 * 8);
  expect(loss.min).toBeLessThanOrEqual(0);
  const share = rangeOf([0.9, 0.95], [0.8, 0.99], "val/accuracy");
  expect([share.min > -0.07, share.max > 1, share.max < 1.07]).toEqual([true, true, true]);
});

it("lets an interval below zero rule the axis where values are below zero too", () => {
  expect(rangeOf([-1, 1], [1, 2], "reward").min).toBeLessThan(-10);
});

it("keeps a wished logarithm, and draws what is not positive below the plot", () => {
  const { chart, min } = rangeOf([0.5, 0.1], [1.5, 0.2], "val/loss", "log");
  expect(chart.scale).toEqual({ kind: "log" });
  expect(min).toBeGreaterThan(0.001);
  const lows = chart.data[1] as number[];
  expect(lows.every((low) => low > 0 && low < min)).toBe(true);
});
