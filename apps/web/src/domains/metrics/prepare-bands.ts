// Curves of runs that differ in the seed only, drawn as one: their mean, and the 95 % t interval of it as the band.
// Pure. Between two points of a curve the straight line counts, so that runs need not have told the same steps.
import { type BucketColumns, describeSample, type SeriesWindow } from "@spotter/contract";
import type { Extremes } from "./prepare-bounds.ts";
import { type ChartLine, lowerBound } from "./prepare-chart.ts";
import { type PreparedSeries, prepareSeries, type XAxis } from "./prepare-series.ts";

/** Runs that are drawn as one curve. */
export interface RunBand {
  id: string;
  label: string;
  slot: number;
  runIds: readonly number[];
}

/** About one place a pixel is enough, as for a single curve. */
const MAX_PLACES = 1500;

/** One line a band; runs of no band, and points that later attempts cut off, are left out. */
export function mergeBands(
  lines: readonly ChartLine[],
  bands: readonly RunBand[],
  axis: XAxis,
): ChartLine[] {
  return bands.flatMap((band) => {
    const members = lines.filter(
      ({ faint, window }) => !faint && band.runIds.includes(window.run_id),
    );
    return members.length === 0 ? [] : [mergeLines(band, members, axis)];
  });
}

function mergeLines(band: RunBand, members: readonly ChartLine[], axis: XAxis): ChartLine {
  const curves = members.map(({ window, startedAt }) =>
    prepareSeries(window.buckets, axis, startedAt),
  );
  const places = placesOf(curves);
  const buckets = emptyBuckets();
  for (const x of places) pushPlace(buckets, x, curves);
  countMarks(buckets, places, curves);
  const window = { ...windowOf(members), buckets, num_buckets: places.length };
  const { id, label, slot } = band;
  const name = members[0]?.window.name ?? "";
  // Its places are counted from the runs' starts already.
  const extremes = extremesOf(curves);
  return {
    ...{ id: `band ${id}|${name}`, label, slot, faint: false, startedAt: 0, window },
    ...(extremes === null ? {} : { extremes }),
  };
}

function extremesOf(curves: readonly PreparedSeries[]): Extremes | null {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { min, max } of curves) {
    for (const value of min) if (value !== null && value < low) low = value;
    for (const value of max) if (value !== null && value > high) high = value;
  }
  return low > high ? null : { low, high };
}

/** Every place at which some curve has a bucket, gaps left out; thinned where they are more than anybody sees. */
function placesOf(curves: readonly PreparedSeries[]): number[] {
  const all = new Set<number>();
  for (const { x, mean, marks } of curves) {
    for (const [index, place] of x.entries()) if (mean[index] !== null) all.add(place);
    for (const mark of marks) all.add(mark.x);
  }
  const sorted = [...all].sort((a, b) => a - b);
  const every = Math.ceil(sorted.length / MAX_PLACES);
  return sorted.filter((_, index) => index % every === 0 || index === sorted.length - 1);
}

function pushPlace(buckets: BucketColumns, x: number, curves: readonly PreparedSeries[]): void {
  const values = curves.flatMap((curve) => valueAt(curve, x) ?? []);
  const sample = values.length === 0 ? null : describeSample(values);
  for (const column of ["first_step", "last_step", "first_time", "last_time"] as const)
    buckets[column].push(x);
  buckets.mean.push(sample?.mean ?? null);
  buckets.min.push(sample?.interval?.[0] ?? sample?.mean ?? null);
  buckets.max.push(sample?.interval?.[1] ?? sample?.mean ?? null);
  buckets.count.push(values.length);
  for (const column of ["nan", "pos_inf", "neg_inf"] as const) buckets[column].push(0);
}

/** Null outside of the curve, in its gaps, and where it is no number. */
function valueAt({ x, mean }: PreparedSeries, place: number): number | null {
  const right = lowerBound(x, place);
  const high = mean[right] ?? null;
  if (x[right] === place || high === null) return x[right] === place ? high : null;
  const [left, low] = [x[right - 1], mean[right - 1] ?? null];
  if (left === undefined || low === null) return null;
  const share = (place - left) / ((x[right] as number) - left);
  return low + share * (high - low);
}

function countMarks(
  buckets: BucketColumns,
  places: readonly number[],
  curves: readonly PreparedSeries[],
): void {
  const column = { nan: "nan", "pos-inf": "pos_inf", "neg-inf": "neg_inf" } as const;
  for (const { marks } of curves)
    for (const { x, kind, count } of marks) {
      const index = Math.min(lowerBound(places, x), places.length - 1);
      const counts = buckets[column[kind]];
      counts[index] = (counts[index] ?? 0) + count;
      buckets.count[index] = (buckets.count[index] ?? 0) + count;
    }
}

/** The newest value is the mean of the runs' newest ones. */
function windowOf(members: readonly ChartLine[]): Omit<SeriesWindow, "buckets" | "num_buckets"> {
  const windows = members.map(({ window }) => window);
  const sum = (of: (window: SeriesWindow) => number) =>
    windows.reduce((total, window) => total + of(window), 0);
  const lasts = windows.flatMap(({ last }) => last ?? []);
  const finite = lasts.flatMap(({ value }) => (typeof value === "number" ? value : []));
  const newest = lasts.toSorted((a, b) => a.step - b.step).at(-1);
  return {
    run_id: windows[0]?.run_id ?? 0,
    name: windows[0]?.name ?? "",
    num_points: sum(({ num_points }) => num_points),
    total_points: sum(({ total_points }) => total_points),
    superseded_points: sum(({ superseded_points }) => superseded_points),
    attempts: [],
    last:
      newest === undefined
        ? null
        : { ...newest, value: finite.length === 0 ? newest.value : describeSample(finite).mean },
    commit_no: 0,
  };
}

function emptyBuckets(): BucketColumns {
  return {
    ...{ first_step: [], last_step: [], first_time: [], last_time: [] },
    ...{ min: [], max: [], mean: [], count: [], nan: [], pos_inf: [], neg_inf: [] },
  };
}
