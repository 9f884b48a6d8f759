// Last and best values of the runs' metrics, as the metrics room keeps them: no series is read whole.
import {
  type ComparedMetric,
  decodeMetricValue,
  MAX_COMPARED_METRICS,
  type MetricReading,
  metricDirection,
  type SeriesWindow,
} from "@spotter/contract";
import type { MetricsService } from "../metrics/index.ts";

type Reader = Pick<MetricsService, "tree" | "queryWindows">;

export interface Readings {
  readonly metrics: ComparedMetric[];
  /** Names that the runs have together, the machine's own left out. */
  readonly numMetrics: number;
}

const NAMES_A_RUN = 500;
/** One bucket holds the exact minimum, maximum and counts of a whole series. */
const WHOLE = { x: "step", from: null, to: null, maxPoints: 1, superseded: false } as const;

/** @param wanted is read even where the runs have more metrics than a report holds */
export async function readMetrics(
  reader: Reader,
  runIds: readonly number[],
  wanted: readonly string[],
): Promise<Readings> {
  const all = new Set<string>();
  for (const runId of runIds) for (const name of await namesOf(reader, runId)) all.add(name);
  const sorted = orderForReading([...all]);
  const named = wanted.filter((name) => all.has(name));
  const names = [...new Set([...named, ...sorted])].slice(0, MAX_COMPARED_METRICS);
  const windows: SeriesWindow[] = [];
  for (const runId of runIds) windows.push(...(await reader.queryWindows(runId, names, WHOLE)));
  const metrics = sorted
    .filter((name) => names.includes(name))
    .map((name) =>
      toMetric(
        name,
        windows.filter((window) => window.name === name),
      ),
    );
  return { metrics, numMetrics: all.size };
}

/** Which of two values is the better one; nobody knows where a name has no direction. */
export function toMetric(name: string, windows: readonly SeriesWindow[]): ComparedMetric {
  const direction = metricDirection(name);
  const readings = windows.map((window) => toReading(window, direction));
  const last = readings.map(({ last }) =>
    last === null ? Number.NaN : decodeMetricValue(last.value),
  );
  const best = readings.map(({ best }) => best ?? Number.NaN);
  const better = (values: readonly number[]) =>
    betterOf(values, direction).map((index) => (readings[index] as MetricReading).run_id);
  return { name, direction, readings, better: { last: better(last), best: better(best) } };
}

function toReading(window: SeriesWindow, direction: ComparedMetric["direction"]): MetricReading {
  const { buckets, last, run_id, num_points } = window;
  const finite = (values: readonly (number | null)[]) => values.filter((value) => value !== null);
  const ends = direction === "higher" ? finite(buckets.max) : finite(buckets.min);
  const best = direction === "higher" ? Math.max(...ends) : Math.min(...ends);
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  return {
    run_id,
    last: last === null ? null : { step: last.step, value: last.value },
    best: direction === null || ends.length === 0 ? null : best,
    num_points,
    num_non_finite: sum(buckets.nan) + sum(buckets.pos_inf) + sum(buckets.neg_inf),
  };
}

/** Places of the best finite values; none where there is nothing to win. */
function betterOf(values: readonly number[], direction: ComparedMetric["direction"]): number[] {
  const finite = values.filter(Number.isFinite);
  if (direction === null || new Set(finite).size < 2) return [];
  const best = direction === "higher" ? Math.max(...finite) : Math.min(...finite);
  return values.flatMap((value, index) => (value === best ? [index] : []));
}

async function namesOf(reader: Reader, runId: number): Promise<string[]> {
  const { nodes } = await reader.tree(runId, {
    ...{ prefix: "", search: undefined, after: "", isFlat: true },
    limit: NAMES_A_RUN,
  });
  return nodes.map(({ path }) => path).filter((name) => !name.startsWith("system/"));
}

const FIRST_GROUPS = ["test", "val", "validation", "eval", "train"];

/** What runs are judged by comes first: metrics with a direction, of data that was not trained on. */
function orderForReading(names: readonly string[]): string[] {
  const rank = (name: string) => {
    const place = FIRST_GROUPS.indexOf(name.split("/")[0] ?? "");
    const group = place === -1 ? FIRST_GROUPS.length : place;
    return (metricDirection(name) === null ? 10 : 0) + group;
  };
  return [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}
