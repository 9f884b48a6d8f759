// What sealing computes, apart from any database: tail batches into chunks by series, and small chunks into larger ones.
// Runs in a thread of its own, because packing a stretch takes tens of milliseconds.
import { type EncodedChunk, encodeChunk } from "./codec/chunk.ts";
import {
  allocatePoints,
  concatPoints,
  type Points,
  sortByArrival,
  unpackPoints,
} from "./codec/points.ts";
import { decodeBatch, type TailBatch } from "./codec/tail.ts";

export interface TailRow {
  readonly commitNo: number;
  readonly attempt: number;
  readonly data: Uint8Array;
}
export interface MergeGroup {
  readonly seriesId: number;
  readonly attempt: number;
  /** Chunks in order of arrival; of each, its segments in order. */
  readonly chunks: readonly (readonly Uint8Array[])[];
}
export type SealingJob =
  | { readonly kind: "seal"; readonly rows: readonly TailRow[] }
  | { readonly kind: "merge"; readonly groups: readonly MergeGroup[] };

/** Where the work is done: in this thread (tests) or in another. */
export interface SealingEngine {
  run(job: SealingJob): Promise<EncodedChunk[]>;
  close(): Promise<void>;
}

export function performSealing(job: SealingJob): EncodedChunk[] {
  return job.kind === "seal" ? sealRows(job.rows) : job.groups.map(mergeChunks);
}

/** @param rows in order of commit */
function sealRows(rows: readonly TailRow[]): EncodedChunk[] {
  const attempts = new Set(rows.map((row) => row.attempt));
  return [...attempts].flatMap((attempt) =>
    sealAttempt(
      attempt,
      rows.filter((row) => row.attempt === attempt),
    ),
  );
}

// A point belongs to one attempt, and so does a chunk: a later attempt hides the end of a chunk, never its middle.
function sealAttempt(attempt: number, rows: readonly TailRow[]): EncodedChunk[] {
  const batches = rows.map((row) => decodeBatch(row.data));
  const series = allocateSeries(batches);
  rows.forEach((row, index) => {
    appendBatch(series, row.commitNo, batches[index] as TailBatch);
  });
  return [...series].map(([seriesId, { points }]) => encodeChunk(seriesId, attempt, points));
}

interface GrowingSeries {
  readonly points: Points;
  filled: number;
}

function allocateSeries(batches: readonly TailBatch[]): Map<number, GrowingSeries> {
  const counts = new Map<number, number>();
  for (const { ids, counts: added } of batches)
    for (let index = 0; index < ids.length; index += 1) {
      const id = ids[index] as number;
      counts.set(id, (counts.get(id) ?? 0) + (added[index] as number));
    }
  const series = new Map<number, GrowingSeries>();
  for (const [id, count] of counts) series.set(id, { points: allocatePoints(count), filled: 0 });
  return series;
}

function appendBatch(series: Map<number, GrowingSeries>, commitNo: number, batch: TailBatch): void {
  let from = 0;
  for (let index = 0; index < batch.ids.length; index += 1) {
    const to = from + (batch.counts[index] as number);
    const growing = series.get(batch.ids[index] as number) as GrowingSeries;
    const { points, filled } = growing;
    // Element by element: most stretches are short, and views of them cost more than they copy.
    for (let at = from; at < to; at += 1) {
      const place = filled + at - from;
      points.step[place] = batch.step[at] as number;
      points.time[place] = batch.time[at] as number;
      points.value[place] = batch.value[at] as number;
      points.commit[place] = commitNo;
    }
    growing.filled += to - from;
    from = to;
  }
}

function mergeChunks({ seriesId, attempt, chunks }: MergeGroup): EncodedChunk {
  const parts = chunks.map((segments) => sortByArrival(concatPoints(segments.map(unpackPoints))));
  return encodeChunk(seriesId, attempt, concatPoints(parts));
}
