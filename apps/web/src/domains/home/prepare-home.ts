// What the home page shows of runs: key metric, curve, verdict. Pure.
import { type MetricValue, type RunSummary, trainedSeconds } from "@spotter/contract";
import {
  formatCount,
  formatDuration,
  formatNamedMetric,
  formatRate,
  formatRemaining,
} from "../../platform/format/index.ts";

export interface NamedValue {
  name: string;
  value: MetricValue;
}

/** At most six cards: what works before what rests before what waits, newest first. */
export function busiest(runs: readonly RunSummary[]): RunSummary[] {
  const order = ["running", "starting", "paused", "queued"];
  return [...runs]
    .sort(
      (first, second) =>
        order.indexOf(first.state) - order.indexOf(second.state) || second.id - first.id,
    )
    .slice(0, 6);
}

/** Those that ended last, whenever they began. */
export function lastEnded(runs: readonly RunSummary[], atMost: number): RunSummary[] {
  return [...runs]
    .sort((one, other) => (other.ended_at ?? 0) - (one.ended_at ?? 0))
    .slice(0, atMost);
}

/** The number that says most about a run: its best, else what it measures on data it does not train on. */
export function keyMetricOf(run: RunSummary): NamedValue | null {
  if (run.best !== null) {
    const latest = run.metrics[run.best.metric];
    return { name: run.best.metric, value: latest ?? run.best.value };
  }
  // What the machine did says nothing of what was learnt.
  const names = Object.keys(run.metrics).filter((candidate) => !candidate.startsWith("system/"));
  const name =
    names.find((candidate) => /^val\/(accuracy|acc|loss)/.test(candidate)) ??
    names.find((candidate) => candidate === "train/loss") ??
    names[0];
  const value = name === undefined ? undefined : run.metrics[name];
  return name === undefined || value === undefined ? null : { name, value };
}

/** The series of the small curve: the loss, for it has points from the first steps on. */
export function curveMetricOf(run: RunSummary): string | null {
  if (run.metrics["train/loss"] !== undefined) return "train/loss";
  return keyMetricOf(run)?.name ?? null;
}

/** `1,240 / 4,000 · 8.20 it/s`, as far as it is known. */
export function progressLine(run: RunSummary, locale: string): string {
  const progress = run.progress;
  if (progress === null) return "";
  const total = progress.total_steps === null ? "" : ` / ${formatCount(progress.total_steps)}`;
  const rate =
    progress.steps_per_s === null ? "" : ` · ${formatRate(progress.steps_per_s, locale)}`;
  return `${formatCount(progress.step)}${total}${rate}`;
}

/** What is left, unless the last word is so old that it would be a frozen guess. */
export function remainingOf(run: RunSummary, now: number, locale: string): string | null {
  if (run.state !== "running" || run.progress?.eta_s == null) return null;
  if (now - (run.last_event_at ?? 0) > 10) return null;
  return formatRemaining(run.progress.eta_s, locale);
}

/** Seconds since the run last spoke, where that is worth saying. */
export function silenceOf(run: RunSummary, now: number): number | null {
  if (run.state !== "running" || run.last_event_at === null) return null;
  const silence = now - run.last_event_at;
  return silence > 10 ? silence : null;
}

/** What came of a run that has ended: its best value, where, and in what time. */
export function verdictOf(
  run: RunSummary,
  locale: string,
): { best: string | null; duration: string } {
  const best =
    run.best === null
      ? null
      : `${run.best.metric} ${formatNamedMetric(run.best.metric, run.best.value)} @ ${formatCount(run.best.step)}`;
  const seconds = run.ended_at === null ? null : trainedSeconds(run, run.ended_at);
  return { best, duration: formatDuration(seconds, locale) };
}

/**
 * The path of a small curve in a box, broken where there is no value.
 * @example sparkline([0, 1], [1, 0], 100, 40) // "M0.0 2.0L100.0 38.0"
 */
export function sparkline(
  steps: readonly number[],
  values: readonly (number | null)[],
  width: number,
  height: number,
): string {
  const finite = values.filter(
    (value): value is number => value !== null && Number.isFinite(value),
  );
  const first = steps[0];
  const last = steps.at(-1);
  if (finite.length === 0 || first === undefined || last === undefined) return "";
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  const padding = 2;
  const place = (step: number, value: number): string => {
    const x = last === first ? width / 2 : ((step - first) / (last - first)) * width;
    const share = high === low ? 0.5 : (value - low) / (high - low);
    return `${x.toFixed(1)} ${(height - padding - share * (height - 2 * padding)).toFixed(1)}`;
  };
  let path = "";
  let isBroken = true;
  values.forEach((value, index) => {
    const step = steps[index];
    if (value === null || step === undefined || !Number.isFinite(value)) {
      isBroken = true;
      return;
    }
    path += `${isBroken ? "M" : "L"}${place(step, value)}`;
    isBroken = false;
  });
  return path;
}
