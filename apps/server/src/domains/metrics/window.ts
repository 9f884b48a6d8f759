// A window of one series, thinned to buckets. Reads as few bytes as it can: sums of whole chunks, else rollups of a
// fitting size, and points only where a bucket holds few of them or where the window's edge or a later attempt cuts.
import type { BucketColumns } from "@spotter/contract";
import { loadRollup, loadSegments, numSegments, type TailStretch } from "./chunk-reader.ts";
import { type Points, SEGMENT_POINTS } from "./codec/points.ts";
import {
  addBlock,
  addPoint,
  emptyRollup,
  LEAST_BLOCKS,
  ROLLUP_LEVELS,
  type Rollup,
  type RollupLevel,
} from "./codec/rollup.ts";
import type { ChunkRow, MetricsStore } from "./store.ts";
import { type WindowRequest, WindowScope } from "./window-scope.ts";

export interface WindowSource {
  readonly runId: number;
  readonly chunks: readonly ChunkRow[];
  readonly tail: readonly TailStretch[];
  /** Points of this attempt at this step or beyond it are superseded. */
  readonly cutOf: (attempt: number) => number;
}
export interface Window {
  readonly buckets: Rollup;
  readonly numPoints: number;
}

// With fewer blocks than this a bucket, charts would look coarser than their pixels.
const LEAST_BLOCKS_A_BUCKET = 0.6;
export async function readWindow(
  store: MetricsStore,
  source: WindowSource,
  request: WindowRequest,
): Promise<Window> {
  const scope = new WindowScope(request, source.cutOf);
  const chunks = source.chunks.filter(
    (chunk) => scope.share(chunk.attempt, chunkBlock(chunk), 0) !== "none",
  );
  const domain = scope.domain(chunks, source.tail);
  const width = Math.max(0, (domain[1] - domain[0]) / request.maxPoints);
  const collector = new Collector(scope);
  for (const chunk of chunks)
    await collectChunk(
      store,
      source.runId,
      chunk,
      levelFor(scope, domain, width, chunk),
      collector,
    );
  for (const { attempt, points } of source.tail)
    collector.addPoints(attempt, points, 0, points.step.length);
  return collector.fill(domain[0], width, request.maxPoints);
}

export function bucketColumns(buckets: Rollup): BucketColumns {
  const numbers = (column: Float64Array) => Array.from(column);
  const finite = (column: Float64Array) =>
    Array.from(column, (value) => (Number.isFinite(value) ? value : null));
  return {
    first_step: numbers(buckets.minStep),
    last_step: numbers(buckets.maxStep),
    first_time: numbers(buckets.minTime),
    last_time: numbers(buckets.maxTime),
    min: finite(buckets.min),
    max: finite(buckets.max),
    mean: Array.from(buckets.count, (_, index) => meanOf(buckets, index)),
    count: numbers(buckets.count),
    nan: numbers(buckets.nan),
    pos_inf: numbers(buckets.posInf),
    neg_inf: numbers(buckets.negInf),
  };
}

function meanOf(buckets: Rollup, index: number): number | null {
  const at = (column: Float64Array) => column[index] as number;
  const numFinite = at(buckets.count) - at(buckets.nan) - at(buckets.posInf) - at(buckets.negInf);
  if (numFinite === 0) return null;
  const mean = at(buckets.sum) / numFinite;
  // The sum of huge values leaves the range of doubles, their middle does not.
  if (!Number.isFinite(mean)) return at(buckets.min) / 2 + at(buckets.max) / 2;
  return Math.min(at(buckets.max), Math.max(at(buckets.min), mean));
}

/** How many points of a chunk stand before `step`. */
export async function placeOfStep(
  store: MetricsStore,
  runId: number,
  chunk: ChunkRow,
  step: number,
): Promise<number> {
  if (step > chunk.max_step) return chunk.count;
  if (step <= chunk.min_step) return 0;
  let segment = 0;
  if (numSegments(chunk) > 1) {
    const rollup = await loadRollup(store, runId, chunk, 256);
    const block = rollup.maxStep.findIndex((maxStep) => maxStep >= step);
    segment = Math.floor((block * 256) / SEGMENT_POINTS);
  }
  const points = await loadSegments(store, runId, chunk, segment, segment);
  return segment * SEGMENT_POINTS + points.step.findIndex((one) => one >= step);
}

/** Coarsest size whose blocks are still finer than the buckets; null for the points themselves. */
function levelFor(
  scope: WindowScope,
  domain: readonly [number, number],
  width: number,
  chunk: ChunkRow,
): RollupLevel | "chunk" | null {
  const [from, to] = scope.rangeOf(chunk);
  const shown = Math.max(0, Math.min(to, domain[1]) - Math.max(from, domain[0]));
  const numBuckets = width > 0 ? Math.max(1, shown / width) : 1;
  const numShown = to > from ? chunk.count * (shown / (to - from)) : chunk.count;
  const least = LEAST_BLOCKS_A_BUCKET * numBuckets;
  if (scope.share(chunk.attempt, chunkBlock(chunk), 0) === "all" && least <= 1) return "chunk";
  for (const level of [...ROLLUP_LEVELS].reverse())
    if (chunk.count / level >= LEAST_BLOCKS && numShown / level >= least) return level;
  return null;
}

async function collectChunk(
  store: MetricsStore,
  runId: number,
  chunk: ChunkRow,
  level: RollupLevel | "chunk" | null,
  collector: Collector,
): Promise<void> {
  if (level === "chunk") return collector.addBlock(chunkBlock(chunk), 0);
  // Without a rollup to draw, one still tells which segments are needed.
  const isLong = numSegments(chunk) > 1;
  const guide = level ?? (isLong ? 256 : null);
  const wanted = new Map<number, [from: number, to: number][]>();
  if (guide === null) wanted.set(0, [[0, chunk.count]]);
  else {
    const rollup = await loadRollup(store, runId, chunk, guide);
    for (let block = 0; block < rollup.count.length; block += 1) {
      const share = collector.scope.share(chunk.attempt, rollup, block);
      if (share === "all" && level !== null) collector.addBlock(rollup, block);
      else if (share !== "none") {
        const segment = Math.floor((block * guide) / SEGMENT_POINTS);
        const ranges = wanted.get(segment) ?? [];
        ranges.push([block * guide, Math.min(chunk.count, (block + 1) * guide)]);
        wanted.set(segment, ranges);
      }
    }
  }
  for (const [segment, ranges] of wanted) {
    const points = await loadSegments(store, runId, chunk, segment, segment);
    const first = segment * SEGMENT_POINTS;
    for (const [from, to] of ranges)
      collector.addPoints(chunk.attempt, points, from - first, to - first);
  }
}

/** Blocks and points that the window shows, before they are put into buckets. */
class Collector {
  readonly scope: WindowScope;
  readonly #blocks: [rollup: Rollup, at: number][] = [];
  readonly #points: { points: Points; from: number; to: number; attempt: number }[] = [];

  constructor(scope: WindowScope) {
    this.scope = scope;
  }

  addBlock(rollup: Rollup, at: number): void {
    this.#blocks.push([rollup, at]);
  }

  /** Those of the places `from` to `to` (not included) that the scope shows. */
  addPoints(attempt: number, points: Points, from: number, to: number): void {
    this.#points.push({ points, from, to, attempt });
  }

  fill(from: number, width: number, maxPoints: number): Window {
    const shown = this.#shown();
    const isEach = this.#blocks.length === 0 && shown.count <= maxPoints;
    const buckets = isEach ? onePointEach(shown) : this.#byWidth(shown, from, width, maxPoints);
    return { buckets, numPoints: buckets.count.reduce((sum, count) => sum + count, 0) };
  }

  #shown(): ShownPoints {
    const most = this.#points.reduce((sum, { from, to }) => sum + Math.max(0, to - from), 0);
    const stretches = this.#points.map(({ points }) => points);
    const xs = new Float64Array(most);
    const stretchOf = new Uint32Array(most);
    const placeOf = new Uint32Array(most);
    let count = 0;
    for (const [index, { points, from: first, to, attempt }] of this.#points.entries())
      for (let at = first; at < to; at += 1) {
        const step = points.step[at] as number;
        const time = points.time[at] as number;
        if (!this.scope.shows(attempt, step, time)) continue;
        xs[count] = this.scope.x(step, time);
        stretchOf[count] = index;
        placeOf[count] = at;
        count += 1;
      }
    return { count, stretches, xs, stretchOf, placeOf };
  }

  #byWidth(shown: ShownPoints, from: number, width: number, maxPoints: number): Rollup {
    const buckets = emptyRollup(maxPoints);
    const place = (x: number) =>
      width > 0 ? Math.min(maxPoints - 1, Math.max(0, Math.floor((x - from) / width))) : 0;
    for (const [rollup, at] of this.#blocks) {
      const x = this.scope.x(rollup.minStep[at] as number, rollup.minTime[at] as number);
      addBlock(buckets, place(x), rollup, at);
    }
    for (let index = 0; index < shown.count; index += 1)
      addShown(buckets, place(shown.xs[index] as number), shown, index);
    return withoutEmpty(buckets);
  }
}

/** Columns instead of an object a point: a window may be made of forty thousand points. */
interface ShownPoints {
  readonly count: number;
  readonly stretches: readonly Points[];
  readonly xs: Float64Array;
  /** For each point which of the stretches holds it, and where. */
  readonly stretchOf: Uint32Array;
  readonly placeOf: Uint32Array;
}

function onePointEach(shown: ShownPoints): Rollup {
  const { xs, count } = shown;
  const order = Array.from({ length: count }, (_, index) => index).sort(
    (a, b) => (xs[a] as number) - (xs[b] as number) || a - b,
  );
  const buckets = emptyRollup(count);
  order.forEach((index, bucket) => {
    addShown(buckets, bucket, shown, index);
  });
  return buckets;
}

function addShown(buckets: Rollup, bucket: number, shown: ShownPoints, index: number): void {
  const { step, time, value } = shown.stretches[shown.stretchOf[index] as number] as Points;
  const at = shown.placeOf[index] as number;
  addPoint(buckets, bucket, step[at] as number, time[at] as number, value[at] as number);
}

function withoutEmpty(buckets: Rollup): Rollup {
  const kept = Uint32Array.from(
    Array.from(buckets.count.keys()).filter((index) => (buckets.count[index] as number) > 0),
  );
  const only = (column: Float64Array) =>
    Float64Array.from(kept, (index) => column[index] as number);
  const { count, minStep, maxStep, minTime, maxTime, min, max, sum, nan, posInf, negInf } = buckets;
  return {
    count: only(count),
    minStep: only(minStep),
    maxStep: only(maxStep),
    minTime: only(minTime),
    maxTime: only(maxTime),
    min: only(min),
    max: only(max),
    sum: only(sum),
    nan: only(nan),
    posInf: only(posInf),
    negInf: only(negInf),
  };
}

/** A chunk's own sums as a rollup of one block. */
function chunkBlock(chunk: ChunkRow): Rollup {
  const of = (value: number) => Float64Array.of(value);
  return {
    count: of(chunk.count),
    minStep: of(chunk.min_step),
    maxStep: of(chunk.max_step),
    minTime: of(chunk.minTime),
    maxTime: of(chunk.maxTime),
    min: of(chunk.min),
    max: of(chunk.max),
    sum: of(chunk.sum),
    nan: of(chunk.num_nan),
    posInf: of(chunk.num_pos_inf),
    negInf: of(chunk.num_neg_inf),
  };
}
