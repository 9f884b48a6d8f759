// Blocks of neighbouring points summed up: how many, over which steps and times, with which exact minimum and maximum.
// A chunk keeps them at several sizes, so that any window reads about as many blocks as it draws buckets.
import { pack, unpack } from "./pack.ts";
import type { Points } from "./points.ts";

/** One row a block. `min`, `max` and `sum` are over the finite values; NaN where a block has none. */
export interface Rollup {
  readonly count: Float64Array;
  readonly minStep: Float64Array;
  readonly maxStep: Float64Array;
  readonly minTime: Float64Array;
  readonly maxTime: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly sum: Float64Array;
  readonly nan: Float64Array;
  readonly posInf: Float64Array;
  readonly negInf: Float64Array;
}

/** Points a block, finest first; each is a multiple of the one before. */
export const ROLLUP_LEVELS = [32, 256, 2048] as const;
export type RollupLevel = (typeof ROLLUP_LEVELS)[number];
/** A chunk of fewer blocks than this keeps no rollup of that size: reading its points is as cheap. */
export const LEAST_BLOCKS = 16;

export function emptyRollup(numBlocks: number): Rollup {
  const column = () => new Float64Array(numBlocks);
  return {
    count: column(),
    minStep: column().fill(Number.POSITIVE_INFINITY),
    maxStep: column().fill(Number.NEGATIVE_INFINITY),
    minTime: column().fill(Number.POSITIVE_INFINITY),
    maxTime: column().fill(Number.NEGATIVE_INFINITY),
    min: column().fill(Number.NaN),
    max: column().fill(Number.NaN),
    sum: column(),
    nan: column(),
    posInf: column(),
    negInf: column(),
  };
}

/** Adds one point to a block. */
export function addPoint(
  rollup: Rollup,
  block: number,
  step: number,
  time: number,
  value: number,
): void {
  (rollup.count[block] as number)++;
  if (step < (rollup.minStep[block] as number)) rollup.minStep[block] = step;
  if (step > (rollup.maxStep[block] as number)) rollup.maxStep[block] = step;
  if (time < (rollup.minTime[block] as number)) rollup.minTime[block] = time;
  if (time > (rollup.maxTime[block] as number)) rollup.maxTime[block] = time;
  if (value - value === 0) {
    // The negations let the first finite value replace NaN.
    if (!((rollup.min[block] as number) <= value)) rollup.min[block] = value;
    if (!((rollup.max[block] as number) >= value)) rollup.max[block] = value;
    (rollup.sum[block] as number) += value;
  } else if (value > 0) (rollup.posInf[block] as number)++;
  else if (value < 0) (rollup.negInf[block] as number)++;
  else (rollup.nan[block] as number)++;
}

/** Adds block `from` of another rollup to a block. */
export function addBlock(rollup: Rollup, block: number, other: Rollup, from: number): void {
  const least = (to: Float64Array, value: number) => {
    if (value < (to[block] as number) || Number.isNaN(to[block])) to[block] = value;
  };
  const greatest = (to: Float64Array, value: number) => {
    if (value > (to[block] as number) || Number.isNaN(to[block])) to[block] = value;
  };
  (rollup.count[block] as number) += other.count[from] as number;
  least(rollup.minStep, other.minStep[from] as number);
  greatest(rollup.maxStep, other.maxStep[from] as number);
  least(rollup.minTime, other.minTime[from] as number);
  greatest(rollup.maxTime, other.maxTime[from] as number);
  least(rollup.min, other.min[from] as number);
  greatest(rollup.max, other.max[from] as number);
  (rollup.sum[block] as number) += other.sum[from] as number;
  (rollup.nan[block] as number) += other.nan[from] as number;
  (rollup.posInf[block] as number) += other.posInf[from] as number;
  (rollup.negInf[block] as number) += other.negInf[from] as number;
}

/** Blocks of `level` points each; the last may be shorter. */
export function rollUpPoints(points: Points, level: number): Rollup {
  const { step, time, value } = points;
  const rollup = emptyRollup(Math.ceil(step.length / level));
  let block = 0;
  for (let from = 0; from < step.length; from += level) {
    const to = Math.min(step.length, from + level);
    for (let index = from; index < to; index += 1)
      addPoint(rollup, block, step[index] as number, time[index] as number, value[index] as number);
    block += 1;
  }
  return rollup;
}

/** Blocks of `factor` blocks each. */
export function rollUpBlocks(finer: Rollup, factor: number): Rollup {
  const rollup = emptyRollup(Math.ceil(finer.count.length / factor));
  for (let from = 0; from < finer.count.length; from += 1)
    addBlock(rollup, Math.floor(from / factor), finer, from);
  return rollup;
}

export function packRollup(rollup: Rollup): Uint8Array {
  return pack([
    { kind: "integer", data: rollup.count },
    { kind: "integer", data: rollup.minStep },
    { kind: "integer", data: rollup.maxStep },
    { kind: "time", data: rollup.minTime },
    { kind: "time", data: rollup.maxTime },
    { kind: "value", data: rollup.min },
    { kind: "value", data: rollup.max },
    { kind: "value", data: rollup.sum },
    { kind: "integer", data: rollup.nan },
    { kind: "integer", data: rollup.posInf },
    { kind: "integer", data: rollup.negInf },
  ]);
}

export function unpackRollup(bytes: Uint8Array): Rollup {
  const columns = unpack(bytes);
  const column = (index: number): Float64Array => {
    const data = columns[index];
    if (data === undefined) throw new Error("A stored rollup lacks a column.");
    return data;
  };
  return {
    count: column(0),
    minStep: column(1),
    maxStep: column(2),
    minTime: column(3),
    maxTime: column(4),
    min: column(5),
    max: column(6),
    sum: column(7),
    nan: column(8),
    posInf: column(9),
    negInf: column(10),
  };
}
