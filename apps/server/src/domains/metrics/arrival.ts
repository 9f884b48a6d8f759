// Stored points in the order in which they arrived: pages and CSV of one series, and replay of the live stream.
import {
  loadChunk,
  loadSegments,
  noPoints,
  numSegments,
  readTail,
  type TailStretch,
} from "./chunk-reader.ts";
import { concatPoints, type Points, pick, SEGMENT_POINTS, sortByArrival } from "./codec/points.ts";
import { decodeBatch } from "./codec/tail.ts";
import type { ChunkRow, CommitRange, MetricsStore, StreamRow } from "./store.ts";

/** Points of one series, `limit` of them behind the first `offset`. Call inside `store.consistently`. */
export async function readArrived(
  store: MetricsStore,
  stream: StreamRow,
  seriesId: number,
  offset: number,
  limit: number,
): Promise<{ stretches: TailStretch[]; total: number }> {
  const runId = stream.run_id;
  const chunks = await store.chunks(runId, seriesId);
  const tailRows = await store.tail(runId, {
    after: stream.sealed_commit_no,
    to: stream.commit_no,
  });
  const tail = readTail(tailRows, new Set([seriesId])).get(seriesId) ?? [];
  const window = new ArrivalWindow(offset, limit);
  for (const cluster of clusters(chunks)) {
    const count = cluster.reduce((sum, chunk) => sum + chunk.count, 0);
    if (window.isOutside(count)) window.skip(count);
    else await readCluster(store, runId, cluster, window);
  }
  for (const stretch of tail) window.add(stretch);
  return { stretches: window.taken, total: window.position };
}

/** Keeps what lies between `offset` and `offset + limit` of the points that pass by. */
class ArrivalWindow {
  readonly taken: TailStretch[] = [];
  position = 0;
  readonly #from: number;
  readonly #to: number;

  constructor(offset: number, limit: number) {
    this.#from = offset;
    this.#to = offset + limit;
  }

  isOutside(count: number): boolean {
    return this.position + count <= this.#from || this.position >= this.#to;
  }

  skip(count: number): void {
    this.position += count;
  }

  add({ attempt, points }: TailStretch): void {
    const count = points.step.length;
    const from = Math.max(0, this.#from - this.position);
    const to = Math.min(count, this.#to - this.position);
    if (from < to) {
      const places = Array.from({ length: to - from }, (_, index) => from + index);
      this.taken.push({ attempt, points: pick(points, places) });
    }
    this.position += count;
  }
}

/** Chunks whose commits interleave stand together: their points must be sorted as one. */
function clusters(chunks: readonly ChunkRow[]): ChunkRow[][] {
  const found: ChunkRow[][] = [];
  let lastCommit = -1;
  for (const chunk of chunks) {
    const current = found.at(-1);
    if (current !== undefined && chunk.first_commit <= lastCommit) current.push(chunk);
    else found.push([chunk]);
    lastCommit = Math.max(lastCommit, chunk.last_commit);
  }
  return found;
}

async function readCluster(
  store: MetricsStore,
  runId: number,
  cluster: readonly ChunkRow[],
  window: ArrivalWindow,
): Promise<void> {
  const [only] = cluster;
  if (cluster.length === 1 && only !== undefined && only.in_order === 1) {
    for (let segment = 0; segment < numSegments(only); segment += 1) {
      const count = Math.min(SEGMENT_POINTS, only.count - segment * SEGMENT_POINTS);
      if (window.isOutside(count)) window.skip(count);
      else {
        const points = await loadSegments(store, runId, only, segment, segment);
        window.add({ attempt: only.attempt, points });
      }
    }
    return;
  }
  const stretches: TailStretch[] = [];
  for (const chunk of cluster) {
    const points = sortByArrival(await loadChunk(store, runId, chunk));
    for (const [, part] of splitByCommit(points))
      stretches.push({ attempt: chunk.attempt, points: part });
  }
  stretches.sort((a, b) => (a.points.commit[0] as number) - (b.points.commit[0] as number));
  for (const stretch of stretches) window.add(stretch);
}

/** @param points in order of arrival, so that commits stand together */
export function splitByCommit(points: Points): [commitNo: number, points: Points][] {
  const parts: [number, Points][] = [];
  let from = 0;
  for (let at = 1; at <= points.commit.length; at += 1) {
    if (at < points.commit.length && points.commit[at] === points.commit[from]) continue;
    parts.push([
      points.commit[from] as number,
      {
        step: points.step.subarray(from, at),
        time: points.time.subarray(from, at),
        value: points.value.subarray(from, at),
        commit: points.commit.subarray(from, at),
        arrival: undefined,
      },
    ]);
    from = at;
  }
  return parts;
}

/** One committed batch, by series id. */
export interface Commit {
  readonly commitNo: number;
  readonly attempt: number;
  readonly series: Map<number, Points>;
}

/** Every batch of the range as it was committed, whether it lies in the tail or in chunks by now. */
export async function readCommits(
  store: MetricsStore,
  stream: StreamRow,
  range: CommitRange,
): Promise<Commit[]> {
  const commits = new Map<number, Commit>();
  const add = (commitNo: number, attempt: number, seriesId: number, points: Points) => {
    let commit = commits.get(commitNo);
    if (commit === undefined) {
      commit = { commitNo, attempt, series: new Map() };
      commits.set(commitNo, commit);
    }
    const before = commit.series.get(seriesId);
    commit.series.set(seriesId, before === undefined ? points : concatPoints([before, points]));
  };
  if (range.after < stream.sealed_commit_no)
    for (const chunk of await store.chunksOfCommits(stream.run_id, range)) {
      const points = sortByArrival(await loadCommits(store, stream.run_id, chunk, range));
      for (const [commitNo, part] of splitByCommit(points))
        if (commitNo > range.after && commitNo <= range.to)
          add(commitNo, chunk.attempt, chunk.series_id, part);
    }
  const unsealed = { after: Math.max(range.after, stream.sealed_commit_no), to: range.to };
  if (unsealed.after < unsealed.to)
    for (const { commitNo, attempt, data } of await store.tail(stream.run_id, unsealed)) {
      const batch = decodeBatch(data);
      let from = 0;
      for (let index = 0; index < batch.ids.length; index += 1) {
        const to = from + (batch.counts[index] as number);
        add(commitNo, attempt, batch.ids[index] as number, {
          step: batch.step.subarray(from, to),
          time: batch.time.subarray(from, to),
          value: batch.value.subarray(from, to),
          commit: new Float64Array(to - from).fill(commitNo),
          arrival: undefined,
        });
        from = to;
      }
    }
  return [...commits.values()].sort((a, b) => a.commitNo - b.commitNo);
}

async function loadCommits(
  store: MetricsStore,
  runId: number,
  chunk: ChunkRow,
  range: CommitRange,
): Promise<Points> {
  if (numSegments(chunk) === 1 || chunk.in_order !== 1) return loadChunk(store, runId, chunk);
  const segments = await store.segmentCommits(runId, chunk);
  const wanted = segments.filter(
    (segment) => segment.last_commit > range.after && segment.first_commit <= range.to,
  );
  const [first] = wanted;
  const last = wanted.at(-1);
  if (first === undefined || last === undefined) return noPoints;
  return loadSegments(store, runId, chunk, first.segment_no, last.segment_no);
}
