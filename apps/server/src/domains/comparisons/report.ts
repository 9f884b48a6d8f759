// The whole report, made of what the other rooms told. Pure.
import {
  type ComparedMetric,
  type ComparedValue,
  type ComparisonReport,
  FINAL_STATES,
  metricDirection,
  recipes,
} from "@spotter/contract";
import type { ComparableRun } from "../runs/index.ts";
import { configRows } from "./config-diff.ts";
import { type GroupedRun, groupRuns, seedOf, seedsSince } from "./groups.ts";
import type { Readings } from "./readings.ts";
import { toRunGroup, valuesOf, verdictOf } from "./verdict.ts";

export interface ReportInput {
  readonly runs: readonly ComparableRun[];
  readonly missingRunIds: readonly number[];
  readonly readings: Readings;
  /** A run's id; the first run where it is undefined or not among them. */
  readonly base: number | undefined;
  readonly metric: string | undefined;
  readonly value: ComparedValue | undefined;
}

export function makeReport(input: ReportInput): ComparisonReport {
  const { runs, readings } = input;
  const metric = input.metric ?? defaultMetric(runs, readings.metrics);
  const measured = readings.metrics.find(({ name }) => name === metric);
  const direction = metric === null ? null : metricDirection(metric);
  const value = direction === null ? "last" : (input.value ?? "last");
  const grouped = runs.map(toGrouped);
  const groups = groupRuns(grouped);
  const seeded = grouped.map(({ summary, config, began }) => ({
    ...{ id: summary.id, seed: seedOf(config), began: seedsSince(began) },
  }));
  const values = groups.map((group) => valuesOf(group, seeded, measured, value));
  const baseId = input.base ?? runs[0]?.summary.id;
  const base = values.find(({ group }) => group.runIds.includes(baseId ?? 0)) ?? values[0];
  const config = configRows(runs.map(({ resolved }) => resolved));
  const unfinished = runs
    .filter(({ summary }) => !FINAL_STATES.includes(summary.state))
    .map(({ summary }) => summary.id);
  return {
    runs: runs.map((run, index) => {
      const group = groups.find(({ runIds }) => runIds.includes(run.summary.id));
      const seed = seeded[index]?.seed ?? null;
      return { ...shown(run), seed, group: group?.id ?? "", origin: run.began.origin };
    }),
    missing_run_ids: [...input.missingRunIds],
    metrics: readings.metrics,
    num_metrics: readings.numMetrics,
    config: config.rows,
    num_config: config.numKeys,
    ...{ metric, direction, value },
    groups: values.map(toRunGroup),
    base: base?.group.id ?? null,
    verdicts:
      base === undefined || metric === null
        ? []
        : values
            .filter((other) => other !== base)
            .map((other) => verdictOf(base, other, direction, unfinished)),
  };
}

/** The metric that chose a run's best model, or its recipe would; else the first that has a direction. */
export function defaultMetric(
  runs: readonly ComparableRun[],
  metrics: readonly ComparedMetric[],
): string | null {
  const has = (name: string | undefined) => metrics.some((metric) => metric.name === name);
  const chosen = runs.flatMap(({ summary: { best, recipe } }) => [
    ...(best === null ? [] : [best.metric]),
    ...(recipe === null ? [] : [recipes[recipe].primary_metric]),
  ]);
  return chosen.find(has) ?? metrics[0]?.name ?? null;
}

/** An own script's config comes with its first events; a recipe's was complete when it was asked for. */
function toGrouped({ summary, asked, resolved, changes, began }: ComparableRun): GroupedRun {
  return { summary, config: summary.source === "recipe" ? asked : resolved, changes, began };
}

function shown({ summary }: ComparableRun) {
  const { id, project_id, name, source, recipe, state, tags, created_at } = summary;
  const { started_at, ended_at, deleted_at, parent_id } = summary;
  return {
    ...{ id, project_id, name, source, recipe, state, tags, created_at },
    ...{ started_at, ended_at, deleted_at, parent_id },
  };
}
