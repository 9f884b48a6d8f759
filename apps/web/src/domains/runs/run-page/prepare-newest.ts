// What the live stream has told of a run beyond its summary, which the server makes a few times a second: the header says
// what the charts below it show. Pure.
import {
  decodeMetricValue,
  type MetricAppended,
  type MetricValue,
  metricDirection,
  type Run,
  type RunSummary,
} from "@spotter/contract";
import { HEADLINES } from "./prepare-header.ts";

export interface Newest {
  attempt: number;
  step: number;
  values: ReadonlyMap<string, { step: number; value: MetricValue }>;
  /** Of the metric that chooses the model. */
  best: { step: number; value: number } | null;
}

/** Names that the header may show, or be told of soon. Readings of the machine are no steps. */
export function watchedNames(run: Pick<RunSummary, "metrics" | "best"> | null): string[] {
  const names = [...Object.keys(run?.metrics ?? {}), ...(run?.best ? [run.best.metric] : [])];
  const others = names.filter((name) => !/^(system|train|val)\//.test(name));
  return ["train/", "val/", ...new Set(others)].sort();
}

/** @param bestName the metric that chooses the best model */
export function takeBatch(
  before: Newest | null,
  event: Pick<MetricAppended, "attempt" | "series">,
  bestName: string | null,
): Newest | null {
  if (before !== null && event.attempt < before.attempt) return before;
  // A new attempt takes back what the one before it reached beyond its beginning.
  const known = before?.attempt === event.attempt ? before : null;
  const values = new Map(known?.values);
  let { step, best } = known ?? { step: Number.NEGATIVE_INFINITY, best: null };
  for (const [name, points] of Object.entries(event.series)) {
    if (name.startsWith("system/")) continue;
    for (const [index, at] of points.step.entries()) {
      const value = points.value[index] ?? "NaN";
      step = Math.max(step, at);
      if (at >= (values.get(name)?.step ?? at)) values.set(name, { step: at, value });
      if (name === bestName) best = better(name, best, { step: at, value });
    }
  }
  return values.size === 0 ? before : { attempt: event.attempt, step, values, best };
}

/** The run as its summary and the stream together tell it. */
export function withNewest<Shown extends Run>(run: Shown, newest: Newest | null): Shown {
  if (newest === null || run.state === "queued" || run.state === "starting") return run;
  const { progress, best } = run;
  const told = [...newest.values].filter(
    ([name]) => name in run.metrics || HEADLINES.includes(name),
  );
  const isFurther = progress !== null && newest.step > progress.step;
  const step = Math.min(newest.step, progress?.total_steps ?? newest.step);
  const found = best === null ? null : better(best.metric, best, newest.best);
  return {
    ...run,
    metrics: {
      ...run.metrics,
      ...Object.fromEntries(told.map(([name, { value }]) => [name, value])),
    },
    progress: isFurther ? { ...progress, step } : progress,
    best: best === null || found === null ? best : { metric: best.metric, ...found },
  };
}

/** Whether a summary speaks of an earlier place than the one before it: what the stream told since is taken back. */
export function wentBack(
  before: Pick<RunSummary, "last_step" | "progress">,
  after: Pick<RunSummary, "last_step" | "progress" | "state">,
): boolean {
  if (after.state === "queued" || after.state === "starting") return true;
  const isLess = (one: number | null, other: number | null) =>
    other !== null && (one === null || one < other);
  return (
    isLess(after.last_step, before.last_step) ||
    isLess(after.progress?.step ?? null, before.progress?.step ?? null)
  );
}

/** The better of two values; the first one where the metric's name does not tell which end is good. */
function better<Value extends { step: number; value: MetricValue }>(
  name: string,
  known: Value | null,
  next: { step: number; value: MetricValue } | null,
): { step: number; value: number } | null {
  const [one, other] = [numberOf(known), numberOf(next)];
  const direction = metricDirection(name);
  if (other === null || direction === null) return one;
  if (one === null) return other;
  const isBetter = direction === "higher" ? other.value > one.value : other.value < one.value;
  return isBetter ? other : one;
}

function numberOf(found: { step: number; value: MetricValue } | null) {
  const value = found === null ? Number.NaN : decodeMetricValue(found.value);
  return found === null || !Number.isFinite(value) ? null : { step: found.step, value };
}
