// A chunk as it is stored: one series' stretch of one attempt, in step order, with its sums at several sizes.
import { type Points, packPoints, SEGMENT_POINTS, slicePoints, sortBySteps } from "./points.ts";
import {
  LEAST_BLOCKS,
  packRollup,
  ROLLUP_LEVELS,
  type Rollup,
  rollUpBlocks,
  rollUpPoints,
} from "./rollup.ts";

export interface ChunkSums {
  readonly count: number;
  readonly minStep: number;
  readonly maxStep: number;
  readonly minTime: number;
  readonly maxTime: number;
  /** NaN where no value is finite. */
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly nan: number;
  readonly posInf: number;
  readonly negInf: number;
}

export interface EncodedChunk {
  readonly seriesId: number;
  readonly attempt: number;
  readonly firstCommit: number;
  readonly lastCommit: number;
  /** Step order is arrival order. */
  readonly isInOrder: boolean;
  readonly sums: ChunkSums;
  /** By `ROLLUP_LEVELS`; null where the chunk is too short for that size. */
  readonly rollups: readonly (Uint8Array | null)[];
  /** The points when one segment holds them all. */
  readonly data: Uint8Array | null;
  readonly segments: readonly EncodedSegment[];
  /** Highest step and what stood there last. */
  readonly last: { readonly step: number; readonly time: number; readonly value: number };
}
export interface EncodedSegment {
  readonly firstCommit: number;
  readonly lastCommit: number;
  readonly data: Uint8Array;
}

/** @param arrived at least one point, in order of arrival */
export function encodeChunk(seriesId: number, attempt: number, arrived: Points): EncodedChunk {
  const points = sortBySteps(arrived);
  const count = points.step.length;
  const { rollups, sums } = encodeRollups(points);
  const segments: EncodedSegment[] = [];
  for (let from = 0; from < count; from += SEGMENT_POINTS) {
    const part = slicePoints(points, from, Math.min(count, from + SEGMENT_POINTS));
    const [firstCommit, lastCommit] = rangeOf(part.commit);
    segments.push({ firstCommit, lastCommit, data: packPoints(part) });
  }
  const [firstCommit, lastCommit] = rangeOf(points.commit);
  const [only] = segments;
  const isSingle = segments.length === 1 && only !== undefined;
  return {
    seriesId,
    attempt,
    firstCommit,
    lastCommit,
    isInOrder: points.arrival === undefined,
    sums,
    rollups,
    data: isSingle ? only.data : null,
    segments: isSingle ? [] : segments,
    last: {
      step: points.step[count - 1] as number,
      time: points.time[count - 1] as number,
      value: points.value[count - 1] as number,
    },
  };
}

function encodeRollups(points: Points): {
  rollups: (Uint8Array | null)[];
  sums: ChunkSums;
} {
  const count = points.step.length;
  const [finest, ...coarser] = ROLLUP_LEVELS;
  let rollup = rollUpPoints(points, finest);
  let previous: number = finest;
  const rollups = [packIfWorth(rollup, count / finest)];
  for (const level of coarser) {
    rollup = rollUpBlocks(rollup, level / previous);
    rollups.push(packIfWorth(rollup, count / level));
    previous = level;
  }
  return { rollups, sums: sumsOf(rollUpBlocks(rollup, rollup.count.length)) };
}

function packIfWorth(rollup: Rollup, numBlocks: number): Uint8Array | null {
  return numBlocks >= LEAST_BLOCKS ? packRollup(rollup) : null;
}

function sumsOf(rollup: Rollup): ChunkSums {
  const first = (column: Float64Array) => column[0] as number;
  return {
    count: first(rollup.count),
    minStep: first(rollup.minStep),
    maxStep: first(rollup.maxStep),
    minTime: first(rollup.minTime),
    maxTime: first(rollup.maxTime),
    min: first(rollup.min),
    max: first(rollup.max),
    sum: first(rollup.sum),
    nan: first(rollup.nan),
    posInf: first(rollup.posInf),
    negInf: first(rollup.negInf),
  };
}

function rangeOf(column: Float64Array): [number, number] {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < column.length; index += 1) {
    const value = column[index] as number;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return [least, greatest];
}

/** Doubles of the sums as bytes: neither engine's columns take all of them unchanged (NaN; the driver's 1e-20). */
export function packDoubles({ minTime, maxTime, min, max, sum }: ChunkSums): Uint8Array {
  return new Uint8Array(Float64Array.of(minTime, maxTime, min, max, sum).buffer);
}

export function unpackDoubles(
  bytes: Uint8Array,
): Pick<ChunkSums, "minTime" | "maxTime" | "min" | "max" | "sum"> {
  const [minTime, maxTime, min, max, sum] = new Float64Array(
    // Not `slice`: of a Buffer, which PostgreSQL's driver gives, that is no copy.
    new Uint8Array(bytes).buffer,
  );
  return {
    minTime: minTime as number,
    maxTime: maxTime as number,
    min: min as number,
    max: max as number,
    sum: sum as number,
  };
}
