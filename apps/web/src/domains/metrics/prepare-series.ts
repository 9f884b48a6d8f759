// Turns a bucketed window into what a chart can paint: plain arrays, gaps, and marks for values that are no numbers.
// It knows nothing of canvas or colour. uPlot breaks lines only at null, silently bridges NaN, and typed arrays cannot
// hold null: hence plain arrays.
import type { BucketColumns, SeriesWindow } from "@spotter/contract";

/** `relative` is time since the run started. */
export type XAxis = "step" | "time" | "relative";

/** null breaks the line; undefined, made by alignment only, is joined. */
export type Values = (number | null | undefined)[];

export interface NonFiniteMark {
  x: number;
  kind: "nan" | "pos-inf" | "neg-inf";
  count: number;
}

export interface PreparedSeries {
  x: number[];
  mean: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
  /** False when every bucket is one point: the band would be as thin as the line. */
  hasBand: boolean;
  marks: NonFiniteMark[];
  numNonFinite: number;
  /** Typical distance between neighbours; 0 with fewer than two. */
  medianSpacing: number;
  /** First and last x that any point has, non-finite ones too; null when empty. */
  extent: [number, number] | null;
}

/** No data for more than this many usual distances breaks the line. */
const GAP_FACTOR = 5;

/**
 * Prepares one series for painting.
 * @param startedAt Unix seconds that `relative` counts from
 */
export function prepareSeries(
  buckets: BucketColumns,
  axis: XAxis,
  startedAt: number,
): PreparedSeries {
  const lows = edges(buckets, "first", axis, startedAt);
  const highs = edges(buckets, "last", axis, startedAt);
  const centres = lows.map((low, index) => (low + (highs[index] ?? low)) / 2);
  const medianSpacing = medianDifference(centres);
  const prepared: PreparedSeries = {
    x: [],
    mean: [],
    min: [],
    max: [],
    hasBand: buckets.count.some((count) => count > 1),
    marks: [],
    numNonFinite: 0,
    medianSpacing,
    extent: lows.length === 0 ? null : [lows[0] ?? 0, highs[highs.length - 1] ?? 0],
  };
  for (let index = 0; index < centres.length; index++) {
    const previousHigh = highs[index - 1];
    const low = lows[index] ?? 0;
    if (previousHigh !== undefined && isGap(low - previousHigh, medianSpacing))
      pushPoint(prepared, (previousHigh + low) / 2, null, null, null);
    const high = highs[index] ?? low;
    const values = [
      buckets.mean[index] ?? null,
      buckets.min[index] ?? null,
      buckets.max[index] ?? null,
    ] as const;
    if (isGap(high - low, medianSpacing)) {
      // The silence lies inside the bucket: its values stand on both shores, and no line crosses.
      pushPoint(prepared, low, ...values);
      pushPoint(prepared, centres[index] ?? low, null, null, null);
      pushPoint(prepared, high, ...values);
    } else pushPoint(prepared, centres[index] ?? low, ...values);
    pushMarks(prepared, centres[index] ?? 0, buckets, index);
  }
  return prepared;
}

/** Puts series with different x onto one x: what a series lacks is undefined, and the line goes on through it. */
export function alignSeries(columns: readonly { x: number[]; values: Values[] }[]): {
  x: number[];
  values: Values[];
} {
  const first = columns[0];
  if (first === undefined) return { x: [], values: [] };
  if (columns.every((column) => sameNumbers(column.x, first.x)))
    return { x: first.x, values: columns.flatMap((column) => column.values) };
  const x = [...new Set(columns.flatMap((column) => column.x))].sort((a, b) => a - b);
  const places = new Map(x.map((value, index) => [value, index]));
  const values = columns.flatMap((column) =>
    column.values.map((source) => {
      const aligned: Values = new Array(x.length).fill(undefined);
      for (let index = 0; index < column.x.length; index++)
        aligned[places.get(column.x[index] ?? 0) ?? 0] = source[index];
      return aligned;
    }),
  );
  return { x, values };
}

/** Buckets and points that a window of the x axis shows: the footer's "N of M points". */
export function countShown(
  buckets: BucketColumns,
  axis: XAxis,
  startedAt: number,
  range: readonly [number, number] | null,
): { shown: number; points: number } {
  const isShown = range === null ? () => true : shownBuckets(buckets, axis, startedAt, range);
  let shown = 0;
  let points = 0;
  for (const [index, count] of buckets.count.entries()) {
    if (!isShown(index)) continue;
    shown++;
    points += count;
  }
  return { shown, points };
}

/** Which buckets reach into a window of the x axis, by their index. */
export function shownBuckets(
  buckets: BucketColumns,
  axis: XAxis,
  startedAt: number,
  [from, to]: readonly [number, number],
): (index: number) => boolean {
  const lows = edges(buckets, "first", axis, startedAt);
  const highs = edges(buckets, "last", axis, startedAt);
  return (index) => (highs[index] ?? 0) >= from && (lows[index] ?? 0) <= to;
}

/** The middle of the distances between neighbours. */
export function medianDifference(sorted: readonly number[]): number {
  if (sorted.length < 2) return 0;
  const differences: number[] = [];
  for (let index = 1; index < sorted.length; index++)
    differences.push((sorted[index] ?? 0) - (sorted[index - 1] ?? 0));
  differences.sort((a, b) => a - b);
  const middle = differences.length >> 1;
  const upper = differences[middle] ?? 0;
  return differences.length % 2 === 1 ? upper : ((differences[middle - 1] ?? 0) + upper) / 2;
}

function edges(
  buckets: BucketColumns,
  side: "first" | "last",
  axis: XAxis,
  startedAt: number,
): number[] {
  if (axis === "step") return side === "first" ? buckets.first_step : buckets.last_step;
  const times = side === "first" ? buckets.first_time : buckets.last_time;
  return axis === "time" ? times : times.map((time) => time - startedAt);
}

function isGap(distance: number, medianSpacing: number): boolean {
  return medianSpacing > 0 && distance > GAP_FACTOR * medianSpacing;
}

function pushPoint(
  prepared: PreparedSeries,
  x: number,
  mean: number | null,
  min: number | null,
  max: number | null,
): void {
  const last = prepared.x.length - 1;
  // Two points on one x (a step that was logged twice) are one place on the canvas; the band keeps both values.
  if (last >= 0 && prepared.x[last] === x && mean !== null && prepared.mean[last] !== null) {
    prepared.mean[last] = mean;
    prepared.min[last] = Math.min(prepared.min[last] ?? mean, min ?? mean);
    prepared.max[last] = Math.max(prepared.max[last] ?? mean, max ?? mean);
    prepared.hasBand = true;
    return;
  }
  prepared.x.push(x);
  prepared.mean.push(mean);
  prepared.min.push(min);
  prepared.max.push(max);
}

function pushMarks(
  prepared: PreparedSeries,
  x: number,
  buckets: BucketColumns,
  index: number,
): void {
  const kinds = [
    ["nan", buckets.nan[index] ?? 0],
    ["pos-inf", buckets.pos_inf[index] ?? 0],
    ["neg-inf", buckets.neg_inf[index] ?? 0],
  ] as const;
  for (const [kind, count] of kinds) {
    if (count === 0) continue;
    prepared.marks.push({ x, kind, count });
    prepared.numNonFinite += count;
  }
}

function sameNumbers(left: readonly number[], right: readonly number[]): boolean {
  return left === right || (left.length === right.length && left.every((v, i) => v === right[i]));
}

/** The part of a window up to a step, the step itself included; the window itself where nothing lies behind. */
export function windowUntil(window: SeriesWindow, step: number): SeriesWindow {
  const { last_step: lastStep } = window.buckets;
  let kept = lastStep.length;
  while (kept > 0 && (lastStep[kept - 1] ?? 0) > step) kept--;
  if (kept === lastStep.length) return window;
  const columns = Object.entries(window.buckets).map(([name, column]) => [
    name,
    column.slice(0, kept),
  ]);
  const buckets = Object.fromEntries(columns) as unknown as SeriesWindow["buckets"];
  const points = buckets.count.reduce((sum, count) => sum + count, 0);
  return { ...window, buckets, num_buckets: kept, num_points: points };
}
