// Decides when a run's tail is sealed into chunks and small chunks are merged, one run at a time, beside the ingest.
import type { Database } from "../../platform/db/database.ts";
import { numSegments } from "./chunk-reader.ts";
import type { EncodedChunk } from "./codec/chunk.ts";
import type { MergeGroup, SealingEngine } from "./sealing.ts";
import type { ChunkRow, MetricsStore } from "./store.ts";

// A tail this long is sealed however many series it has; reading it takes a few milliseconds.
const MAX_TAIL_POINTS = 262_144;
const MIN_TAIL_POINTS = 32_768;
// Chunks of fewer points a series would only have to be merged again.
const WANTED_POINTS_A_SERIES = 1024;
// One swap inserts at most this much, so that ingest waits for some milliseconds only.
const MAX_POINTS_A_SWAP = 524_288;
/** Chunks that reached half of this are not merged any more. */
const FULL_CHUNK_POINTS = 65_536;
const MERGE_WIDTH = 8;
const MAX_GROUPS_A_SWAP = 400;
const IDLE_S = 120;

export interface SealerOptions {
  readonly database: Database;
  readonly store: MetricsStore;
  readonly engine: SealingEngine;
  readonly now: () => number;
  readonly onError: (error: unknown, runId: number) => void;
}

export class Sealer {
  readonly #options: SealerOptions;
  /** Runs that wait, and whether they have ended. */
  readonly #waiting = new Map<number, boolean>();
  readonly #numSeals = new Map<number, number>();
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: SealerOptions) {
    this.#options = options;
  }

  /** Call after every commit. */
  tailGrew(runId: number, tailPoints: number, numSeries: number): void {
    const wanted = numSeries * WANTED_POINTS_A_SERIES;
    if (tailPoints >= Math.min(MAX_TAIL_POINTS, Math.max(MIN_TAIL_POINTS, wanted)))
      this.#enqueue(runId, false);
  }

  /** Nothing more is expected: everything is sealed and merged. */
  runEnded(runId: number): void {
    this.#enqueue(runId, true);
  }

  /** Finds tails that nobody told of: idle runs, and those left by a server that was killed. */
  async sweep(): Promise<void> {
    const { store, now } = this.#options;
    for (const { run_id } of await store.unsealed(now() - IDLE_S, MAX_TAIL_POINTS))
      this.#enqueue(run_id, false);
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting.clear();
    await this.idle();
    await this.#options.engine.close();
  }

  /** Seals and merges one run now. */
  async sealRun(runId: number, hasEnded: boolean): Promise<void> {
    let numSealed = 0;
    while (!this.#isClosed && (await this.#sealStretch(runId))) numSealed += 1;
    const numSeals = (this.#numSeals.get(runId) ?? 0) + numSealed;
    this.#numSeals.set(runId, numSeals);
    if (!hasEnded && numSeals < MERGE_WIDTH) return;
    this.#numSeals.delete(runId);
    while (!this.#isClosed && (await this.#mergeSome(runId, hasEnded)));
  }

  #enqueue(runId: number, hasEnded: boolean): void {
    if (this.#isClosed) return;
    this.#waiting.set(runId, hasEnded || (this.#waiting.get(runId) ?? false));
    this.#startDraining();
  }

  #startDraining(): void {
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
      // A run may have come in just when the last one was done.
      if (this.#waiting.size > 0) this.#startDraining();
    });
  }

  async #drain(): Promise<void> {
    for (const [runId, hasEnded] of this.#waiting) {
      this.#waiting.delete(runId);
      await this.sealRun(runId, hasEnded).catch((error: unknown) => {
        if (!this.#isClosed) this.#options.onError(error, runId);
      });
    }
  }

  /** @returns whether the tail may hold more */
  async #sealStretch(runId: number): Promise<boolean> {
    const { database, store, engine } = this.#options;
    const stream = await store.stream(runId);
    if (stream === undefined || stream.tail_points === 0) return false;
    let numPoints = 0;
    let toCommit = stream.sealed_commit_no;
    for (const { commit_no, num_points } of await store.tailSizes(runId)) {
      if (numPoints >= MAX_POINTS_A_SWAP) break;
      numPoints += num_points;
      toCommit = commit_no;
    }
    const fromCommit = stream.sealed_commit_no;
    const rows = await store.tail(runId, { after: fromCommit, to: toCommit });
    const chunks = await engine.run({ kind: "seal", rows });
    const payload = { runId, fromCommit, toCommit, numPoints, chunks };
    // Refused: another server on the same database has sealed this stretch.
    const isSwapped = await database.call({ name: "metrics-seal", payload });
    return isSwapped === true && numPoints >= MAX_POINTS_A_SWAP;
  }

  /** @returns whether anything was merged */
  async #mergeSome(runId: number, hasEnded: boolean): Promise<boolean> {
    const { database, store, engine } = this.#options;
    const least = hasEnded ? 2 : MERGE_WIDTH;
    const chosen: ChunkRow[][] = [];
    let numPoints = 0;
    for (const { series_id } of await store.fragmented(runId, FULL_CHUNK_POINTS / 2, least)) {
      if (chosen.length >= MAX_GROUPS_A_SWAP || numPoints >= MAX_POINTS_A_SWAP) break;
      for (const group of mergeable(await store.chunks(runId, series_id), hasEnded)) {
        chosen.push(group);
        numPoints += sumOf(group);
      }
    }
    if (chosen.length === 0) return false;
    const groups: MergeGroup[] = [];
    for (const group of chosen) groups.push(await this.#loadGroup(runId, group));
    const chunks: EncodedChunk[] = await engine.run({ kind: "merge", groups });
    const replaced = chosen
      .flat()
      .map(({ series_id, first_commit }) => ({ seriesId: series_id, firstCommit: first_commit }));
    await database.call({ name: "metrics-merge", payload: { runId, replaced, chunks } });
    return true;
  }

  async #loadGroup(runId: number, group: readonly ChunkRow[]): Promise<MergeGroup> {
    const { store } = this.#options;
    const [first] = group as [ChunkRow];
    const chunks: Uint8Array[][] = [];
    for (const chunk of group) {
      const num = numSegments(chunk);
      if (num === 1) chunks.push([await store.chunkData(runId, chunk)]);
      else
        chunks.push(
          (await store.segments(runId, chunk, 0, num - 1)).map((segment) => segment.data),
        );
    }
    return { seriesId: first.series_id, attempt: first.attempt, chunks };
  }
}

/**
 * Neighbours that are worth becoming one. While the run goes on, eight of about the same size, so that a point is
 * packed again only once for each time that its chunk grows eightfold; at its end, whatever fits together.
 * @param chunks of one series in order of arrival
 */
export function mergeable(chunks: readonly ChunkRow[], hasEnded: boolean): ChunkRow[][] {
  const groups: ChunkRow[][] = [];
  let group: ChunkRow[] = [];
  const finish = () => {
    if (group.length >= (hasEnded ? 2 : MERGE_WIDTH)) groups.push(group);
    group = [];
  };
  for (const chunk of chunks) {
    const first = group[0];
    const joins =
      first !== undefined &&
      chunk.attempt === first.attempt &&
      (hasEnded || tierOf(chunk) === tierOf(first)) &&
      sumOf(group) + chunk.count <= FULL_CHUNK_POINTS;
    if (!joins) finish();
    if (chunk.count < FULL_CHUNK_POINTS / 2) group.push(chunk);
    else finish();
  }
  finish();
  return groups;
}

function tierOf({ count }: ChunkRow): number {
  return Math.max(0, Math.floor(Math.log(count / 64) / Math.log(MERGE_WIDTH)));
}

function sumOf(chunks: readonly ChunkRow[]): number {
  return chunks.reduce((sum, { count }) => sum + count, 0);
}
