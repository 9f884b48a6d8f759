// The newest point of a series that no later attempt superseded: of the latest attempt the highest step, and of equal
// steps the one that arrived last.
import type { MetricValue } from "@spotter/contract";
import { encodeMetricValue } from "@spotter/contract";
import { loadSegments, type TailStretch } from "./chunk-reader.ts";
import { type Points, SEGMENT_POINTS } from "./codec/points.ts";
import type { ChunkRow, MetricsStore, SeriesRow } from "./store.ts";
import { placeOfStep } from "./window.ts";

export interface LastPoint {
  readonly step: number;
  readonly time: number;
  readonly value: MetricValue;
}
interface Candidate {
  readonly attempt: number;
  readonly step: number;
  readonly time: number;
  readonly value: number;
}

export async function findLast(
  store: MetricsStore,
  runId: number,
  series: SeriesRow,
  chunks: readonly ChunkRow[],
  tail: readonly TailStretch[],
  cutOf: (attempt: number) => number,
): Promise<LastPoint | null> {
  const inTail = lastOfTail(tail, cutOf);
  const sealed = await lastOfChunks(store, runId, series, chunks, cutOf);
  const last = newer(sealed, inTail);
  if (last === undefined) return null;
  return { step: last.step, time: last.time, value: encodeMetricValue(last.value) };
}

/** What the series row remembers, unless a later attempt superseded just that. */
export function rememberedLast(
  series: SeriesRow,
  cutOf: (attempt: number) => number,
): Candidate | undefined {
  const { last_attempt: attempt, last_step: step, last_time: time, last_value: value } = series;
  if (attempt === null || step === null || time === null || value === null) return undefined;
  return step < cutOf(attempt)
    ? { attempt, step, time: Number(time), value: Number(value) }
    : undefined;
}

export function lastOfTail(
  tail: readonly TailStretch[],
  cutOf: (attempt: number) => number,
): Candidate | undefined {
  let last: Candidate | undefined;
  for (const { attempt, points } of tail) {
    const cut = cutOf(attempt);
    for (let at = 0; at < points.step.length; at += 1) {
      const step = points.step[at] as number;
      if (step >= cut || (last !== undefined && isBefore(attempt, step, last))) continue;
      const [time, value] = [points.time[at] as number, points.value[at] as number];
      last = { attempt, step, time, value };
    }
  }
  return last;
}

/** `second` arrived later. */
export function newer(
  first: Candidate | undefined,
  second: Candidate | undefined,
): Candidate | undefined {
  if (first === undefined || second === undefined) return second ?? first;
  return isBefore(second.attempt, second.step, first) ? first : second;
}

function isBefore(attempt: number, step: number, last: Candidate): boolean {
  return attempt < last.attempt || (attempt === last.attempt && step < last.step);
}

async function lastOfChunks(
  store: MetricsStore,
  runId: number,
  series: SeriesRow,
  chunks: readonly ChunkRow[],
  cutOf: (attempt: number) => number,
): Promise<Candidate | undefined> {
  const remembered = rememberedLast(series, cutOf);
  if (remembered !== undefined) return remembered;
  // Its newest attempt was superseded at this point: look in the chunks, newest attempt first.
  const shown = chunks.filter((chunk) => chunk.min_step < cutOf(chunk.attempt));
  const attempt = Math.max(...shown.map((chunk) => chunk.attempt));
  let last: Candidate | undefined;
  for (const chunk of shown.filter((one) => one.attempt === attempt)) {
    const place = (await placeOfStep(store, runId, chunk, cutOf(attempt))) - 1;
    const segment = Math.floor(place / SEGMENT_POINTS);
    const points = await loadSegments(store, runId, chunk, segment, segment);
    last = newer(last, candidateAt(attempt, points, place - segment * SEGMENT_POINTS));
  }
  return last;
}

function candidateAt(attempt: number, points: Points, at: number): Candidate {
  return {
    attempt,
    step: points.step[at] as number,
    time: points.time[at] as number,
    value: points.value[at] as number,
  };
}
