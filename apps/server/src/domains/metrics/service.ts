// What this room does for others: windows, pages and replay of stored points, and its share of host readings.
import type {
  MetricAppended,
  MetricTree,
  PointColumns,
  PointsPage,
  SeriesWindow,
} from "@spotter/contract";
import { encodeMetricValue } from "@spotter/contract";
import { type Commit, readArrived, readCommits } from "./arrival.ts";
import { readTail, type TailStretch } from "./chunk-reader.ts";
import type { Points } from "./codec/points.ts";
import { metricNotFound } from "./errors.ts";
import { findLast } from "./last-point.ts";
import type { NamesStore } from "./names-store.ts";
import { boundRange, cutPage, MAX_POINTS_A_PAGE } from "./replay-range.ts";
import { type NameFilter, SeriesNames } from "./series-names.ts";
import type { ChunkRow, MetricsStore, SeriesRow, StreamRow } from "./store.ts";
import { readTree, type TreeRequest } from "./tree.ts";
import { bucketColumns, placeOfStep, readWindow } from "./window.ts";
import type { WindowRequest } from "./window-scope.ts";

/** Attempts of a run and what they hide of earlier ones. */
interface Attempts {
  readonly list: readonly { readonly attempt: number; readonly first_step: number }[];
  cutOf(attempt: number): number;
}

export interface ArrivedPoint {
  readonly step: number;
  readonly time: number;
  readonly value: number;
}

export class MetricsService {
  readonly #store: MetricsStore;
  readonly #namesStore: NamesStore;
  readonly #names: SeriesNames;

  constructor(store: MetricsStore, namesStore: NamesStore) {
    this.#store = store;
    this.#namesStore = namesStore;
    this.#names = new SeriesNames(store);
  }

  /** Windows of the named series, in their order; names that the run does not have are left out. */
  queryWindows(
    runId: number,
    names: readonly string[],
    request: WindowRequest,
  ): Promise<SeriesWindow[]> {
    return this.#store.consistently(runId, async (stream) => {
      const attempts = await this.#attempts(runId);
      const rows = await Promise.all(names.map((name) => this.#store.seriesByName(runId, name)));
      const series = rows.filter((row) => row !== undefined);
      const tail = await this.#tail(stream, new Set(series.map((row) => row.series_id)));
      const windows: SeriesWindow[] = [];
      for (const row of series)
        windows.push(
          await this.#window(stream, row, tail.get(row.series_id) ?? [], attempts, request),
        );
      return windows;
    });
  }

  /** Raw points in order of arrival. */
  listPoints(runId: number, name: string, offset: number, limit: number): Promise<PointsPage> {
    return this.#store.consistently(runId, async (stream) => {
      const [series, attempts] = await Promise.all([
        this.#series(runId, name),
        this.#attempts(runId),
      ]);
      const found = await readArrived(this.#store, stream, series.series_id, offset, limit);
      return toPage(name, found.stretches, found.total, offset, attempts);
    });
  }

  /**
   * Batches behind a position, as they were committed; at most `limit` positions further and `maxPoints` points, but
   * one batch in any case.
   */
  readAfter(
    runId: number,
    commitNo: number,
    limit: number,
    filter?: Pick<NameFilter, "wants">,
    maxPoints = MAX_POINTS_A_PAGE,
  ): Promise<{ events: MetricAppended[]; commitNo: number; more: boolean }> {
    return this.#store.consistently(runId, async (stream) => {
      const wanted = { after: commitNo, to: Math.min(stream.commit_no, commitNo + limit) };
      if (wanted.to <= commitNo) return { events: [], commitNo, more: commitNo < stream.commit_no };
      const range = await boundRange(this.#store, stream, wanted, maxPoints);
      const read = await readCommits(this.#store, stream, range);
      const commits = cutPage(read, maxPoints);
      const to = commits.length < read.length ? (commits.at(-1)?.commitNo ?? range.to) : range.to;
      const names = await this.#names.namesOf(runId, stream.num_series);
      const events = commits.flatMap((commit) => toEvent(runId, commit, names, filter) ?? []);
      return { events, commitNo: to, more: to < stream.commit_no };
    });
  }

  /** One page of the tree of names. */
  tree(runId: number, request: TreeRequest): Promise<MetricTree> {
    return this.#store.consistently(runId, async (stream) => {
      const { cutOf } = await this.#attempts(runId);
      return readTree(this.#store, this.#namesStore, stream, request, cutOf);
    });
  }

  /** The last points to arrive that no later attempt superseded, oldest first; none for an unknown metric. */
  lastPoints(runId: number, name: string, limit: number): Promise<ArrivedPoint[]> {
    return this.#store.consistently(runId, async (stream) => {
      const series = await this.#store.seriesByName(runId, name);
      if (series === undefined) return [];
      const { cutOf } = await this.#attempts(runId);
      const read = (offset: number) =>
        readArrived(this.#store, stream, series.series_id, offset, limit);
      const { total } = await read(Number.MAX_SAFE_INTEGER);
      const { stretches } = await read(Math.max(0, total - limit));
      return stretches.flatMap(({ attempt, points }) =>
        Array.from(points.step, (step, at) => ({
          step,
          time: points.time[at] as number,
          value: points.value[at] as number,
        })).filter(({ step }) => step < cutOf(attempt)),
      );
    });
  }

  /** Where a run's stream stands. */
  async streamFacts(
    runId: number,
  ): Promise<{ commit_no: number; num_points: number; num_series: number }> {
    const row = await this.#store.stream(runId);
    return {
      commit_no: row?.commit_no ?? 0,
      num_points: row?.num_points ?? 0,
      num_series: row?.num_series ?? 0,
    };
  }

  /** Position of the stream's end; 0 for a run without points. */
  async position(runId: number): Promise<number> {
    return (await this.#store.stream(runId))?.commit_no ?? 0;
  }

  async #series(runId: number, name: string): Promise<SeriesRow> {
    const row = await this.#store.seriesByName(runId, name);
    if (row === undefined) throw metricNotFound(runId, name);
    return row;
  }

  async #attempts(runId: number): Promise<Attempts> {
    const list = await this.#store.attempts(runId);
    return {
      list,
      cutOf: (attempt) =>
        list.reduce(
          (cut, later) => (later.attempt > attempt ? Math.min(cut, later.first_step) : cut),
          Number.POSITIVE_INFINITY,
        ),
    };
  }

  async #tail(stream: StreamRow, wanted: ReadonlySet<number>): Promise<Map<number, TailStretch[]>> {
    const range = { after: stream.sealed_commit_no, to: stream.commit_no };
    return readTail(await this.#store.tail(stream.run_id, range), wanted);
  }

  async #window(
    stream: StreamRow,
    series: SeriesRow,
    tail: readonly TailStretch[],
    attempts: Attempts,
    request: WindowRequest,
  ): Promise<SeriesWindow> {
    const runId = stream.run_id;
    const store = this.#store;
    const { cutOf } = attempts;
    const chunks = await store.chunks(runId, series.series_id);
    const { buckets, numPoints } = await readWindow(store, { runId, chunks, tail, cutOf }, request);
    const superseded = await this.#numSuperseded(runId, chunks, tail, cutOf);
    const total =
      chunks.reduce((sum, chunk) => sum + chunk.count, 0) +
      tail.reduce((sum, { points }) => sum + points.step.length, 0);
    const last = await findLast(store, runId, series, chunks, tail, cutOf);
    return {
      run_id: runId,
      name: series.name,
      num_points: numPoints,
      num_buckets: buckets.count.length,
      total_points: total - superseded,
      superseded_points: superseded,
      buckets: bucketColumns(buckets),
      attempts: attempts.list.map(({ attempt, first_step }) => ({ attempt, first_step })),
      last,
      commit_no: stream.commit_no,
    };
  }

  async #numSuperseded(
    runId: number,
    chunks: readonly ChunkRow[],
    tail: readonly TailStretch[],
    cutOf: (attempt: number) => number,
  ): Promise<number> {
    let count = 0;
    for (const chunk of chunks)
      count += chunk.count - (await placeOfStep(this.#store, runId, chunk, cutOf(chunk.attempt)));
    for (const { attempt, points } of tail) {
      const cut = cutOf(attempt);
      for (const step of points.step) if (step >= cut) count += 1;
    }
    return count;
  }
}

function toPage(
  name: string,
  stretches: readonly TailStretch[],
  total: number,
  offset: number,
  attempts: Attempts,
): PointsPage {
  const page: PointsPage = {
    name,
    step: [],
    time: [],
    value: [],
    attempt: [],
    commit_no: [],
    superseded: [],
    next_offset: null,
    total,
  };
  for (const { attempt, points } of stretches) {
    const cut = attempts.cutOf(attempt);
    for (let at = 0; at < points.step.length; at += 1) {
      const step = points.step[at] as number;
      page.step.push(step);
      page.time.push(points.time[at] as number);
      page.value.push(encodeMetricValue(points.value[at] as number));
      page.attempt.push(attempt);
      page.commit_no.push(points.commit[at] as number);
      page.superseded.push(step >= cut);
    }
  }
  const next = offset + page.step.length;
  if (next < total) page.next_offset = next;
  return page;
}

/** Undefined when the filter leaves nothing. */
function toEvent(
  runId: number,
  { commitNo, attempt, series }: Commit,
  names: readonly (string | undefined)[],
  filter: Pick<NameFilter, "wants"> | undefined,
): MetricAppended | undefined {
  const columns: Record<string, PointColumns> = {};
  let isEmpty = true;
  for (const [id, points] of series) {
    const name = names[id];
    if (name === undefined) throw new Error(`Series ${id} of run ${runId} has no name.`);
    if (filter !== undefined && !filter.wants(name)) continue;
    columns[name] = toColumns(points);
    isEmpty = false;
  }
  if (isEmpty) return undefined;
  return { type: "metric-appended", run_id: runId, commit_no: commitNo, attempt, series: columns };
}

function toColumns({ step, time, value }: Points): PointColumns {
  return {
    step: Array.from(step),
    time: Array.from(time),
    value: Array.from(value, encodeMetricValue),
  };
}
