// What the page's tables show of a report. Pure.
import type {
  ComparedMetric,
  ComparedRun,
  ComparisonReport,
  MetricValue,
  RunGroup,
} from "@spotter/contract";
import { formatNamedMetric } from "../../platform/format/index.ts";

export interface ValueCell {
  last: MetricValue | null;
  isBetterLast: boolean;
  /** Null where nobody knows which end is good, and where it is the last value itself. */
  best: number | null;
  isBetterBest: boolean;
  numNonFinite: number;
}

/** One cell a run, in the report's order; null where the run lacks the metric. */
export function valueCells(
  { readings, better }: ComparedMetric,
  runs: readonly Pick<ComparedRun, "id">[],
): (ValueCell | null)[] {
  return runs.map(({ id }) => {
    const reading = readings.find(({ run_id }) => run_id === id);
    if (reading === undefined) return null;
    const last = reading.last?.value ?? null;
    return {
      last,
      isBetterLast: better.last.includes(id),
      best: reading.best === last ? null : reading.best,
      isBetterBest: better.best.includes(id),
      numNonFinite: reading.num_non_finite,
    };
  });
}

/** `91.2 % ± 0.4 %`: half of the 95 % interval; the mean alone where there is one value. */
export function meanText(metric: string, { mean, interval }: RunGroup): string {
  if (mean === null) return "–";
  const text = formatNamedMetric(metric, mean);
  if (interval === null) return text;
  return `${text} ± ${formatNamedMetric(metric, (interval.high - interval.low) / 2)}`;
}

/** Whether drawing groups says more than drawing runs: some seed is repeated. */
export function hasSeeds({ groups }: Pick<ComparisonReport, "groups">): boolean {
  return groups.some(({ run_ids }) => run_ids.length > 1);
}

/** Runs keep their place in the table of colours as they come; groups likewise. */
export function slotOfGroup({ groups }: Pick<ComparisonReport, "groups">, id: string): number {
  return groups.findIndex((group) => group.id === id);
}
