// What a screen reader says of a chart: a sentence of facts for each curve.
import type { PreparedChart } from "./prepare-chart.ts";

export interface LineSummary {
  label: string;
  points: number;
  min: number | null;
  max: number | null;
  first: number | null;
  last: number | null;
  /** Over the last tenth of what is shown, by more than 2 % of the range. */
  trend: "rising" | "falling" | "steady";
  numNonFinite: number;
}

export function summariseChart(chart: PreparedChart): LineSummary[] {
  return chart.columns.map(({ line, prepared }) => {
    const finite = prepared.mean.filter((value) => value !== null);
    const lows = prepared.min.filter((value) => value !== null);
    const highs = prepared.max.filter((value) => value !== null);
    return {
      label: line.label,
      points: line.window.num_points,
      min: lows.length === 0 ? null : lows.reduce((a, b) => Math.min(a, b)),
      max: highs.length === 0 ? null : highs.reduce((a, b) => Math.max(a, b)),
      first: finite[0] ?? null,
      last: finite[finite.length - 1] ?? null,
      trend: trendOf(finite),
      numNonFinite: prepared.numNonFinite,
    };
  });
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
