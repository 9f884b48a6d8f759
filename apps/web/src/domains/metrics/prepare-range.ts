// Decides the visible ranges: y without being squashed by outliers, x growing calmly while a run is live.
import { backward, forward, type YScale } from "./prepare-scale.ts";
import type { Values } from "./prepare-series.ts";

/** Lowest and highest value of one series at each x; the same array twice where there is no band. */
export interface RangeInput {
  low: Values;
  high: Values;
}

export interface YRange {
  min: number;
  max: number;
  /** True when points lie outside; the chart then offers "Fit all". */
  clipped: boolean;
}

const LOW_QUANTILE = 0.005;
const HIGH_QUANTILE = 0.995;
const MARGIN = 0.06;
/** Outliers are cut off only when they would squeeze the rest below a third of the height. */
const CLIP_FACTOR = 3;

/**
 * The y range of what is inside `indices`. Quantiles are taken of each series and then united: one series' outliers
 * cannot hide another series, and no series ever leaves the view whole.
 */
export function computeYRange(
  series: readonly RangeInput[],
  indices: readonly [number, number],
  scale: YScale,
  fitAll: boolean,
): YRange {
  let fullMin = Number.POSITIVE_INFINITY;
  let fullMax = Number.NEGATIVE_INFINITY;
  let robustMin = Number.POSITIVE_INFINITY;
  let robustMax = Number.NEGATIVE_INFINITY;
  for (const { low, high } of series) {
    const lows = finiteSorted(low, indices);
    const highs = low === high ? lows : finiteSorted(high, indices);
    if (lows.length === 0 || highs.length === 0) continue;
    fullMin = Math.min(fullMin, lows[0] ?? fullMin);
    fullMax = Math.max(fullMax, highs[highs.length - 1] ?? fullMax);
    robustMin = Math.min(robustMin, quantile(lows, LOW_QUANTILE));
    robustMax = Math.max(robustMax, quantile(highs, HIGH_QUANTILE));
  }
  if (fullMin > fullMax) return { min: 0, max: 1, clipped: false };
  const clipped =
    !fitAll && scale.kind === "linear" && fullMax - fullMin > CLIP_FACTOR * (robustMax - robustMin);
  const [min, max] = clipped ? [robustMin, robustMax] : [fullMin, fullMax];
  return { ...withMargin(min, max, scale), clipped };
}

export interface ClippedMark {
  x: number;
  side: "above" | "below";
  count: number;
}

/** Points outside the range, neighbours within `mergeDistance` of x as one triangle with a count. */
export function findClipped(
  x: readonly number[],
  series: RangeInput,
  range: YRange,
  mergeDistance: number,
): ClippedMark[] {
  if (!range.clipped) return [];
  const marks: ClippedMark[] = [];
  const open: Record<"above" | "below", ClippedMark | undefined> = {
    above: undefined,
    below: undefined,
  };
  for (let index = 0; index < x.length; index++) {
    const place = x[index] ?? 0;
    const sides = { above: series.high[index], below: series.low[index] };
    for (const side of ["above", "below"] as const) {
      const value = sides[side];
      if (value === null || value === undefined) continue;
      if (side === "above" ? value <= range.max : value >= range.min) continue;
      const near = open[side];
      if (near !== undefined && place - near.x <= mergeDistance) near.count++;
      else {
        const mark = { x: place, side, count: 1 };
        open[side] = mark;
        marks.push(mark);
      }
    }
  }
  return marks;
}

/** Live axes grow by a twentieth beyond the data and then hold still until it is used up, instead of jittering. */
export function growLiveRange(
  previous: readonly [number, number] | null,
  dataMin: number,
  dataMax: number,
): [number, number] {
  if (previous !== null && previous[0] === dataMin && previous[1] >= dataMax) {
    // A range that was made for far more data (a run that restarted) is taken back.
    const usual = dataMin + (dataMax - dataMin) * 1.5;
    if (previous[1] <= usual || dataMax === dataMin) return [previous[0], previous[1]];
  }
  const width = dataMax - dataMin;
  return [dataMin, width === 0 ? dataMin + 1 : dataMax + width * 0.05];
}

function finiteSorted(values: Values, [first, last]: readonly [number, number]): number[] {
  const finite: number[] = [];
  for (let index = first; index <= last; index++) {
    const value = values[index];
    if (value !== null && value !== undefined) finite.push(value);
  }
  return finite.sort((a, b) => a - b);
}

function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? 0;
  const above = sorted[Math.ceil(place)] ?? below;
  return below + (above - below) * (place - Math.floor(place));
}

function withMargin(min: number, max: number, scale: YScale): { min: number; max: number } {
  const low = forward(scale, min);
  const high = forward(scale, max);
  // A constant series lies in the middle of a range that its own size suggests.
  const margin = high > low ? (high - low) * MARGIN : Math.abs(high) * 0.1 || 1;
  return { min: backward(scale, low - margin), max: backward(scale, high + margin) };
}
