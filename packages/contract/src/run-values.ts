// What a run's summary says of its time and its values, the same wherever it is shown.
import type { RunProgress, RunSummary } from "./runs.ts";
import type { MetricValue } from "./scalars.ts";

/** Seconds that it has trained until `now` in all its attempts, waiting and pauses left out; null before its start. */
export function trainedSeconds(
  run: Pick<RunSummary, "started_at" | "trained_s" | "training_since">,
  now: number,
): number | null {
  if (run.started_at === null) return null;
  return run.trained_s + (run.training_since === null ? 0 : Math.max(0, now - run.training_since));
}

/**
 * The epoch that a run is in, counted from 1, for whoever shows it; null where it has told none: own scripts need not
 * have epochs, and before the first step nothing is known.
 */
export function epochOf(
  progress: Pick<RunProgress, "epoch" | "total_epochs"> | null,
): { readonly epoch: number; readonly total: number | null } | null {
  if (progress === null || progress.epoch < 1) return null;
  return { epoch: progress.epoch, total: progress.total_epochs };
}

/** A metric's mean over the last epoch where there is one, since a last batch may hold two examples; else its last value. */
export function headlineValue(
  run: Pick<RunSummary, "metrics" | "epoch_means">,
  name: string,
): { readonly value: MetricValue; readonly isMean: boolean } | null {
  const mean = run.epoch_means[name];
  if (mean !== undefined) return { value: mean, isMean: true };
  const last = run.metrics[name];
  return last === undefined ? null : { value: last, isMean: false };
}
