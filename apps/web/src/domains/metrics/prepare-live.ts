// Merges live batches into bucketed history: no gap, no repeat, and every bucket stays exact.
// The windows are owned by the series store and changed in place: 60 charts times 20 batches a second would otherwise
// copy tens of millions of numbers each second.
import {
  type BucketColumns,
  decodeMetricValue,
  type MetricAppended,
  type PointColumns,
  type SeriesWindow,
} from "@spotter/contract";

/** One watched window, kept current. */
export interface LiveWindow {
  window: SeriesWindow;
  /** Axis that the buckets are ordered by. */
  axis: "step" | "time";
  from: number | null;
  to: number | null;
  maxPoints: number;
  superseded: boolean;
  /** Newest attempt that the window knows of; a newer one may supersede points, which only the server can tell. */
  attempt: number;
}

/**
 * What became of a batch.
 * - `repeat`: history held it already.
 * - `merged`: the window has changed.
 * - `outside`: its points lie beyond the window; only the totals have changed.
 * - `refetch`: a new attempt cut earlier points; the window must be read again.
 */
export type MergeOutcome = "repeat" | "merged" | "outside" | "refetch";

/** Wraps an answer of the server for merging. */
export function openLiveWindow(
  window: SeriesWindow,
  options: Omit<LiveWindow, "window" | "attempt">,
): LiveWindow {
  const attempt = window.attempts.reduce((newest, entry) => Math.max(newest, entry.attempt), 0);
  return { ...options, window, attempt };
}

/** Merges one committed batch's points of this series. */
export function mergeBatch(
  live: LiveWindow,
  event: Pick<MetricAppended, "commit_no" | "attempt">,
  points: PointColumns,
): MergeOutcome {
  if (event.commit_no <= live.window.commit_no) return "repeat";
  if (live.attempt !== 0 && event.attempt > live.attempt) return "refetch";
  if (live.attempt === 0) live.attempt = event.attempt;
  live.window.commit_no = event.commit_no;
  if (live.superseded) return "outside";
  let merged = false;
  for (let index = 0; index < points.step.length; index++)
    if (mergePoint(live, event.attempt, points, index)) merged = true;
  const { buckets } = live.window;
  // A large batch may need more than one halving.
  while (buckets.count.length > 2 * live.maxPoints) halveBuckets(buckets);
  live.window.num_buckets = buckets.count.length;
  return merged ? "merged" : "outside";
}

/** Merges neighbours two by two. Minimum, maximum, mean and counts stay exact; only the resolution halves. */
export function halveBuckets(buckets: BucketColumns): void {
  const length = buckets.count.length;
  let write = 0;
  for (let read = 0; read < length; read += 2) {
    copyBucket(buckets, read, write);
    if (read + 1 < length) absorbBucket(buckets, write, read + 1);
    write++;
  }
  for (const column of Object.values(buckets)) column.length = write;
}

function mergePoint(
  live: LiveWindow,
  attempt: number,
  points: PointColumns,
  index: number,
): boolean {
  const step = points.step[index] ?? 0;
  const time = points.time[index] ?? 0;
  const { window } = live;
  const cut = window.attempts.some((later) => later.attempt > attempt && step >= later.first_step);
  if (cut) {
    window.superseded_points++;
    return false;
  }
  window.total_points++;
  const raw = points.value[index] ?? "NaN";
  if (window.last === null || step >= window.last.step) window.last = { step, time, value: raw };
  const place = live.axis === "step" ? step : time;
  if ((live.from !== null && place < live.from) || (live.to !== null && place > live.to))
    return false;
  window.num_points++;
  insertPoint(window.buckets, live.axis, { step, time, value: decodeMetricValue(raw) });
  return true;
}

interface Point {
  step: number;
  time: number;
  value: number;
}

/** A point after the last bucket opens a new one; a late one joins the bucket it falls into, or opens one between. */
function insertPoint(buckets: BucketColumns, axis: "step" | "time", point: Point): void {
  const firsts = axis === "step" ? buckets.first_step : buckets.first_time;
  const lasts = axis === "step" ? buckets.last_step : buckets.last_time;
  const place = axis === "step" ? point.step : point.time;
  let index = firsts.length;
  while (index > 0 && (firsts[index - 1] ?? 0) > place) index--;
  const inside = index > 0 && place <= (lasts[index - 1] ?? 0);
  openBucket(buckets, index, point);
  if (!inside) return;
  absorbBucket(buckets, index - 1, index);
  for (const column of Object.values(buckets)) column.splice(index, 1);
}

function openBucket(buckets: BucketColumns, index: number, { step, time, value }: Point): void {
  const finite = Number.isFinite(value) ? value : null;
  const entry: Record<keyof BucketColumns, number | null> = {
    first_step: step,
    last_step: step,
    first_time: time,
    last_time: time,
    min: finite,
    max: finite,
    mean: finite,
    count: 1,
    nan: Number.isNaN(value) ? 1 : 0,
    pos_inf: value === Number.POSITIVE_INFINITY ? 1 : 0,
    neg_inf: value === Number.NEGATIVE_INFINITY ? 1 : 0,
  };
  for (const key of Object.keys(entry) as (keyof BucketColumns)[]) {
    const column = buckets[key] as (number | null)[];
    if (index === column.length) column.push(entry[key]);
    else column.splice(index, 0, entry[key]);
  }
}

function copyBucket(buckets: BucketColumns, from: number, to: number): void {
  if (from === to) return;
  for (const column of Object.values(buckets) as (number | null)[][])
    column[to] = column[from] ?? null;
}

/** Adds bucket `from` to bucket `into`. */
function absorbBucket(buckets: BucketColumns, into: number, from: number): void {
  const finiteInto = numFinite(buckets, into);
  const finiteFrom = numFinite(buckets, from);
  if (finiteFrom > 0) {
    const mean = buckets.mean[from] ?? 0;
    const share = finiteFrom / (finiteInto + finiteFrom);
    buckets.mean[into] = (buckets.mean[into] ?? mean) * (1 - share) + mean * share;
    buckets.min[into] = Math.min(buckets.min[into] ?? Infinity, buckets.min[from] ?? Infinity);
    buckets.max[into] = Math.max(buckets.max[into] ?? -Infinity, buckets.max[from] ?? -Infinity);
  }
  for (const key of ["first_step", "first_time"] as const)
    buckets[key][into] = Math.min(buckets[key][into] ?? 0, buckets[key][from] ?? 0);
  for (const key of ["last_step", "last_time"] as const)
    buckets[key][into] = Math.max(buckets[key][into] ?? 0, buckets[key][from] ?? 0);
  for (const key of ["count", "nan", "pos_inf", "neg_inf"] as const)
    buckets[key][into] = (buckets[key][into] ?? 0) + (buckets[key][from] ?? 0);
}

function numFinite(buckets: BucketColumns, index: number): number {
  return (
    (buckets.count[index] ?? 0) -
    (buckets.nan[index] ?? 0) -
    (buckets.pos_inf[index] ?? 0) -
    (buckets.neg_inf[index] ?? 0)
  );
}
