// What stands under the crosshair: one row a curve, nearest to the pointer first, the raw value before the smoothed.
import { lowerBound, type PreparedChart } from "./prepare-chart.ts";

export interface TipRow {
  label: string;
  slot: number;
  faint: boolean;
  /** Place of the bucket that is nearest to the crosshair. */
  x: number;
  /** Mean of the bucket, the point itself where there is one; NaN for a bucket without a finite value. */
  value: number;
  /** Only for buckets of several points. */
  spread: { min: number; max: number; count: number } | null;
  smoothed: number | null;
}

export const MAX_TIP_ROWS = 8;

/**
 * @param y value under the pointer, by which rows are ordered; null keeps the order of the curves
 * @returns at most 8 rows, and how many more there are
 */
export function tipRows(
  chart: PreparedChart,
  x: number,
  y: number | null,
): { rows: TipRow[]; numMore: number } {
  const rows: TipRow[] = [];
  for (const column of chart.columns) {
    const { line, prepared } = column;
    const index = nearestIndex(prepared.x, prepared.mean, x);
    if (index === null) continue;
    const place = prepared.x[index] ?? x;
    const mean = prepared.mean[index] ?? null;
    const marked = prepared.marks.find((mark) => mark.x === place);
    if (mean === null && marked === undefined) continue;
    const bucket = bucketAt(line.window.buckets.count, prepared.x, index);
    const smoothed = chart.data[column.main]?.[lowerBound(chart.data[0], place)];
    rows.push({
      label: line.label,
      slot: line.slot,
      faint: line.faint,
      x: place,
      value: mean ?? nonFiniteOf(marked?.kind),
      spread:
        prepared.hasBand && mean !== null && prepared.min[index] !== prepared.max[index]
          ? { min: prepared.min[index] ?? mean, max: prepared.max[index] ?? mean, count: bucket }
          : null,
      smoothed: typeof smoothed === "number" && smoothed !== mean ? smoothed : null,
    });
  }
  if (y !== null) rows.sort((a, b) => distance(a.value, y) - distance(b.value, y));
  return { rows: rows.slice(0, MAX_TIP_ROWS), numMore: Math.max(0, rows.length - MAX_TIP_ROWS) };
}

/** The nearest place that is a bucket and not an inserted gap. */
function nearestIndex(
  x: readonly number[],
  mean: readonly (number | null)[],
  place: number,
): number | null {
  if (x.length === 0) return null;
  const right = Math.min(lowerBound(x, place), x.length - 1);
  const left = Math.max(0, right - 1);
  const near = Math.abs((x[left] ?? 0) - place) <= Math.abs((x[right] ?? 0) - place) ? left : right;
  const other = near === left ? right : left;
  return mean[near] === null && mean[other] !== null && isInserted(x, near) ? other : near;
}

/** Inserted gaps lie exactly between their neighbours. */
function isInserted(x: readonly number[], index: number): boolean {
  const before = x[index - 1];
  const after = x[index + 1];
  return before !== undefined && after !== undefined && after - before > 0;
}

function bucketAt(counts: readonly number[], x: readonly number[], index: number): number {
  return counts.length === x.length ? (counts[index] ?? 1) : 0;
}

function nonFiniteOf(kind: "nan" | "pos-inf" | "neg-inf" | undefined): number {
  if (kind === "pos-inf") return Number.POSITIVE_INFINITY;
  return kind === "neg-inf" ? Number.NEGATIVE_INFINITY : Number.NaN;
}

function distance(value: number, y: number): number {
  return Number.isFinite(value) ? Math.abs(value - y) : Number.POSITIVE_INFINITY;
}
