// Loads stored points of one series: from chunks, by segment, and from the tail's batches.
import {
  allocatePoints,
  concatPoints,
  type Points,
  SEGMENT_POINTS,
  unpackPoints,
} from "./codec/points.ts";
import { type Rollup, type RollupLevel, unpackRollup } from "./codec/rollup.ts";
import { decodeBatch } from "./codec/tail.ts";
import type { TailRow } from "./sealing.ts";
import type { ChunkRow, MetricsStore } from "./store.ts";

export function numSegments(chunk: ChunkRow): number {
  return Math.ceil(chunk.count / SEGMENT_POINTS);
}

/** Points of segments `from` to `to`, both included, in step order. */
export async function loadSegments(
  store: MetricsStore,
  runId: number,
  chunk: ChunkRow,
  from: number,
  to: number,
): Promise<Points> {
  if (numSegments(chunk) === 1) return unpackPoints(await store.chunkData(runId, chunk));
  const rows = await store.segments(runId, chunk, from, to);
  return concatPoints(rows.map((row) => unpackPoints(row.data)));
}

export function loadChunk(store: MetricsStore, runId: number, chunk: ChunkRow): Promise<Points> {
  return loadSegments(store, runId, chunk, 0, numSegments(chunk) - 1);
}

export async function loadRollup(
  store: MetricsStore,
  runId: number,
  chunk: ChunkRow,
  level: RollupLevel,
): Promise<Rollup> {
  const bytes = await store.rollup(runId, chunk, level);
  if (bytes === null)
    throw new Error(`A chunk of ${chunk.count} points lacks its rollup ${level}.`);
  return unpackRollup(bytes);
}

export interface TailStretch {
  readonly attempt: number;
  /** In order of arrival. */
  readonly points: Points;
}

/** What the tail holds of the wanted series: by series id, one stretch a batch, in order of commit. */
export function readTail(
  rows: readonly TailRow[],
  wanted: ReadonlySet<number>,
): Map<number, TailStretch[]> {
  const found = new Map<number, TailStretch[]>();
  // A look-up a series and batch is most of the work: an array answers it ten times as fast as a set.
  const isWanted = new Uint8Array(Math.max(0, ...wanted) + 1);
  for (const id of wanted) isWanted[id] = 1;
  for (const { commitNo, attempt, data } of rows) {
    const batch = decodeBatch(data);
    let from = 0;
    for (let index = 0; index < batch.ids.length; index += 1) {
      const id = batch.ids[index] as number;
      const to = from + (batch.counts[index] as number);
      if (isWanted[id] === 1) {
        const points: Points = {
          step: batch.step.subarray(from, to),
          time: batch.time.subarray(from, to),
          value: batch.value.subarray(from, to),
          commit: new Float64Array(to - from).fill(commitNo),
          arrival: undefined,
        };
        const stretches = found.get(id);
        if (stretches === undefined) found.set(id, [{ attempt, points }]);
        else stretches.push({ attempt, points });
      }
      from = to;
    }
  }
  return found;
}

export const noPoints: Points = allocatePoints(0);
