// How far the interval of a mean may stretch the y axis. Pure. A few seeds give wide intervals, which reach where the
// metric cannot: a loss below zero, a share above 100 %. They are drawn as they are, and the axis stays with the values.
import { isShareMetric } from "@spotter/contract";
import type { YScale } from "./prepare-scale.ts";
import type { Values } from "./prepare-series.ts";

export interface Extremes {
  low: number;
  high: number;
}

/** What is asked of a curve here. */
export interface Bounded {
  extremes?: Extremes;
  window: { name: string };
}

/** On a logarithmic axis an interval reaches at most a decade below the values: down to zero there is no end. */
const LOG_REACH = 10;
/** What is not positive has no place on a logarithmic axis: it is drawn this much below the lowest value, out of sight. */
const LOG_FLOOR = 1e6;

/** Null where the band holds values that were told, and not an interval. */
export function boundsOf({ extremes, window }: Bounded, scale: YScale): Extremes | null {
  if (extremes === undefined) return null;
  const { low, high } = extremes;
  return {
    low: scale.kind === "log" ? low / LOG_REACH : low >= 0 ? 0 : Number.NEGATIVE_INFINITY,
    high: high <= 1 && isShareMetric(window.name) ? 1 : Number.POSITIVE_INFINITY,
  };
}

/** What the scale is chosen by: an interval is no reason to leave the logarithm that all values have. */
export function scaleColumns(line: Bounded, low: Values, high: Values): Values[] {
  return line.extremes === undefined ? [low, high] : [[line.extremes.low, line.extremes.high]];
}

/** The lower edge of a band as a logarithmic axis can draw it. */
export function drawableLow({ extremes }: Bounded, low: Values, scale: YScale): Values {
  if (extremes === undefined || scale.kind !== "log") return low;
  const floor = extremes.low / LOG_FLOOR;
  return low.map((value) => (typeof value === "number" ? Math.max(value, floor) : value));
}

/** Values no lower and no higher than the bounds. */
export function within(values: Values, bounds: Extremes): Values {
  return values.map((value) =>
    typeof value === "number" ? Math.min(Math.max(value, bounds.low), bounds.high) : value,
  );
}
