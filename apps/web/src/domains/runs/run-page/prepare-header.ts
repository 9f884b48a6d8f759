// What the header of a run says: the headline metrics, the progress, and whether the news are old.
import {
  decodeMetricValue,
  headlineValue,
  type MetricValue,
  type RunProgress,
  type RunSummary,
} from "@spotter/contract";

/** Silence longer than this is said instead of a frozen time of arrival. */
export const STALE_AFTER_S = 10;

/** Metrics that every recipe has, in the order people read them. */
export const HEADLINES: readonly string[] = [
  ...["val/accuracy", "val/loss", "train/loss", "train/accuracy", "train/learning_rate"],
];

export interface Headline {
  name: string;
  value: MetricValue;
  /** Over the last epoch, not the last batch. */
  isMean: boolean;
}

/** Headline metrics beside the best one, in the order people read them; at most `most`. */
export function headlines(
  run: Pick<RunSummary, "best" | "metrics" | "epoch_means">,
  most: number,
): Headline[] {
  const names = Object.keys(run.metrics)
    .filter((name) => name !== run.best?.metric && !/^(system|continual)\//.test(name))
    .sort((a, b) => rank(HEADLINES, a) - rank(HEADLINES, b) || (a < b ? -1 : 1));
  return names.slice(0, most).flatMap((name) => {
    const found = headlineValue(run, name);
    return found === null ? [] : [{ name, ...found }];
  });
}

/** What a run that learnt on has kept of the old: accuracies there, 0–1. */
export interface Kept {
  /** Of the old model, before; null where there was none. */
  before: MetricValue | null;
  after: MetricValue;
  /** Negative where the old is known better than before. */
  forgetting: number | null;
}

/** Null for a run that had no old data, or has not ended. */
export function keptOf(metrics: RunSummary["metrics"]): Kept | null {
  const after = metrics["continual/old_accuracy_after"];
  if (after === undefined) return null;
  const forgetting = metrics["continual/forgetting"];
  return {
    before: metrics["continual/old_accuracy_before"] ?? null,
    after,
    forgetting: forgetting === undefined ? null : decodeMetricValue(forgetting),
  };
}

/** Share of the work that is done, 0–1; null when the end is not known. */
export function progressShare(progress: RunProgress | null): number | null {
  if (progress === null || progress.total_steps === null || progress.total_steps <= 0) return null;
  return Math.min(1, Math.max(0, progress.step / progress.total_steps));
}

/** Seconds since the last message of an active run when that is long; null while the news are fresh. */
export function staleFor(
  run: Pick<RunSummary, "state" | "last_event_at">,
  now: number,
): number | null {
  if (run.state !== "running" && run.state !== "starting") return null;
  if (run.last_event_at === null) return null;
  const silence = now - run.last_event_at;
  return silence > STALE_AFTER_S ? Math.floor(silence) : null;
}

function rank(order: readonly string[], name: string): number {
  const place = order.indexOf(name);
  return place === -1 ? order.length : place;
}
