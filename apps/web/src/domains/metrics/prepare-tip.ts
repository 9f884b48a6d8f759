// What stands under the crosshair: one row a curve, nearest to the pointer first, the raw value before the smoothed.
// A curve has a value where it is drawn and nowhere else: before a fork, behind a last point and in a gap it has none.
import { lowerBound, type PreparedChart } from "./prepare-chart.ts";
import type { NonFiniteMark, PreparedSeries, Values } from "./prepare-series.ts";

export interface TipRow {
  /** Of the curve: names may be equal, these are not. */
  id: string;
  label: string;
  slot: number;
  faint: boolean;
  /** Place of the bucket that is nearest to the crosshair. */
  x: number;
  /** Its value belongs to a place that is visibly not the one that the tip names. */
  isAside: boolean;
  /** Mean of the bucket, the point itself where there is one; NaN for a bucket without a finite value. */
  value: number;
  /** Only for buckets of several points. */
  spread: { min: number; max: number } | null;
  /** Points of the bucket that are no numbers, beside those whose mean is told. */
  numNonFinite: number;
  smoothed: number | null;
}

export interface Crosshair {
  x: number;
  /** How far beside a curve's point still counts as on it, in units of the x axis. */
  reach: number;
}

export interface TipRows {
  /** What the tip is named after: the place of the nearest point, or the crosshair's own where there is none. */
  place: number;
  rows: TipRow[];
}

export const MAX_TIP_ROWS = 8;
/** On the canvas a point is 7 pixels wide, and a hand is not exact. */
const REACH_PX = 8;

/** The crosshair at `x` of a plot that shows `xRange` in so many pixels. */
export function crosshairAt(
  x: number,
  xRange: readonly [number, number],
  plotWidth: number,
): Crosshair {
  return { x, reach: (REACH_PX * (xRange[1] - xRange[0])) / Math.max(1, plotWidth) };
}

/**
 * One row for each curve that is drawn at the crosshair.
 * @param y value under the pointer, by which rows are ordered; null keeps the order of the curves
 */
export function tipRows(chart: PreparedChart, crosshair: Crosshair, y: number | null): TipRows {
  const { x, reach } = crosshair;
  const found = chart.columns.flatMap((column) => {
    const index = indexUnder(column.prepared, crosshair);
    return index === null ? [] : [rowAt(chart, column, index)];
  });
  const nearest = found.reduce((best, { x: at }) => Math.min(best, Math.abs(at - x)), Infinity);
  const place =
    nearest <= reach ? (found.find((row) => Math.abs(row.x - x) === nearest)?.x ?? x) : x;
  const rows = found.map(({ isExact, ...row }) => {
    const distance = Math.abs(row.x - place);
    return { ...row, isAside: distance > reach || (isExact && distance > 0) };
  });
  if (y !== null) rows.sort((a, b) => distance(a.value, y) - distance(b.value, y));
  return { place, rows };
}

/**
 * How many pixels from the crosshair a curve's point may lie to be marked: any number on a line, where the nearer end
 * counts, else as far as the tip reaches.
 */
export function markReach(x: readonly number[], values: Values, place: number): number {
  let right = lowerBound(x, place);
  let left = right - 1;
  while (left >= 0 && values[left] === undefined) left--;
  while (right < x.length && values[right] === undefined) right++;
  const isOnLine = typeof values[left] === "number" && typeof values[right] === "number";
  return isOnLine ? 1e9 : REACH_PX;
}

function rowAt(chart: PreparedChart, column: PreparedChart["columns"][number], index: number) {
  const { line, prepared } = column;
  const place = prepared.x[index] ?? 0;
  const mean = prepared.mean[index] ?? null;
  const { min, max } = { min: prepared.min[index] ?? null, max: prepared.max[index] ?? null };
  const smoothed = chart.data[column.main]?.[lowerBound(chart.data[0], place)];
  const marks = marksAt(prepared.marks, place);
  return {
    ...{ id: line.id, label: line.label, slot: line.slot, faint: line.faint, x: place },
    // A bucket of several steps has no step of its own that another curve's could differ from.
    isExact: !prepared.hasBand && Number.isInteger(place),
    value: mean ?? nonFiniteOf(marks[0]?.kind),
    spread: mean !== null && min !== null && max !== null && min !== max ? { min, max } : null,
    numNonFinite: mean === null ? 0 : marks.reduce((sum, { count }) => sum + count, 0),
    smoothed: typeof smoothed === "number" && smoothed !== mean ? smoothed : null,
  };
}

/** The nearer end of the line that the crosshair cuts, else a point within reach; null where nothing is drawn. */
function indexUnder(prepared: PreparedSeries, { x, reach }: Crosshair): number | null {
  const right = lowerBound(prepared.x, x);
  const left = right - 1;
  const ends = [left, right].filter((index) => isTold(prepared, index));
  const nearest = ends.sort((a, b) => away(prepared, a, x) - away(prepared, b, x))[0];
  if (nearest === undefined) return null;
  const isOnLine = ends.length === 2 && ends.every((index) => prepared.mean[index] !== null);
  return isOnLine || away(prepared, nearest, x) <= reach ? nearest : null;
}

/** A bucket, and not the end of the curve or an inserted gap. */
function isTold({ x, mean, marks }: PreparedSeries, index: number): boolean {
  const place = x[index];
  if (place === undefined) return false;
  return (mean[index] ?? null) !== null || marksAt(marks, place).length > 0;
}

function away({ x }: PreparedSeries, index: number, place: number): number {
  return Math.abs((x[index] ?? 0) - place);
}

/** Marks lie in the order of their places; a chart may have thousands, and this is asked at every move of the hand. */
function marksAt(marks: readonly NonFiniteMark[], place: number): readonly NonFiniteMark[] {
  let low = 0;
  let high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle]?.x ?? 0) < place) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (marks[end]?.x === place) end++;
  return marks.slice(low, end);
}

function nonFiniteOf(kind: "nan" | "pos-inf" | "neg-inf" | undefined): number {
  if (kind === "pos-inf") return Number.POSITIVE_INFINITY;
  return kind === "neg-inf" ? Number.NEGATIVE_INFINITY : Number.NaN;
}

function distance(value: number, y: number): number {
  return Number.isFinite(value) ? Math.abs(value - y) : Number.POSITIVE_INFINITY;
}
