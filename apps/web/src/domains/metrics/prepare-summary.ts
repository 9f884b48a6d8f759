// The facts of each curve: what a screen reader says of a chart, and its table legend.
import type { MetricValue } from "@spotter/contract";
import { type ChartLine, countMarks, lowerBound, type PreparedChart } from "./prepare-chart.ts";
import { countShown, type XAxis } from "./prepare-series.ts";

export interface LineSummary {
  label: string;
  /** Points, range, trend and what is no number: of what the chart shows. */
  points: number;
  min: number | null;
  max: number | null;
  /** Over the last tenth of what is shown, by more than 2 % of the range. */
  trend: "rising" | "falling" | "steady";
  numNonFinite: number;
  /** The run's last value, wherever the view is; of a part of a run the value at its end. Null where that is not known. */
  last: MetricValue | null;
}

export function summariseChart(
  chart: PreparedChart,
  axis: XAxis,
  xRange: readonly [number, number],
): LineSummary[] {
  return chart.columns.map(({ line, prepared }) => {
    const finite = shownOf(prepared.x, prepared.mean, xRange);
    // The band of a mean is its interval, and no value that any run had.
    const isMean = line.extremes !== undefined;
    const lows = isMean ? finite : shownOf(prepared.x, prepared.min, xRange);
    const highs = isMean ? finite : shownOf(prepared.x, prepared.max, xRange);
    return {
      label: line.label,
      points: countShown(line.window.buckets, axis, line.startedAt, xRange).points,
      min: lows.length === 0 ? null : lows.reduce((a, b) => Math.min(a, b)),
      max: highs.length === 0 ? null : highs.reduce((a, b) => Math.max(a, b)),
      trend: trendOf(finite),
      numNonFinite: countMarks(prepared.marks, xRange),
      last: lastOf(line),
    };
  });
}

/** The value that a curve ends with. A part of a run (an ancestor, an earlier attempt) ends before the run does. */
export function lastOf({ window, faint, ancestor }: ChartLine): MetricValue | null {
  if (!faint && ancestor !== true) return window.last?.value ?? null;
  const { count, mean, nan, pos_inf: positive } = window.buckets;
  const end = count.length - 1;
  if (count[end] !== 1) return null;
  const finite = mean[end] ?? null;
  if (finite !== null) return finite;
  if ((nan[end] ?? 0) > 0) return "NaN";
  return (positive[end] ?? 0) > 0 ? "Infinity" : "-Infinity";
}

function shownOf(
  x: readonly number[],
  values: readonly (number | null)[],
  [from, to]: readonly [number, number],
): number[] {
  return values
    .slice(lowerBound(x, from), lowerBound(x, to + 1e-9))
    .filter((value) => value !== null);
}

function trendOf(values: readonly number[]): LineSummary["trend"] {
  const size = Math.max(1, Math.floor(values.length / 10));
  if (values.length < 2) return "steady";
  const end = average(values.slice(-size));
  const before = average(values.slice(-2 * size, -size));
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  if (Math.abs(end - before) <= 0.02 * (high - low)) return "steady";
  return end > before ? "rising" : "falling";
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
