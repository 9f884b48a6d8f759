// The whole report, made of what the other rooms told. Pure.
import {
  type ComparedMetric,
  type ComparedValue,
  type ComparisonReport,
  FINAL_STATES,
  type Measured,
  metricDirection,
  recipes,
  setDifferences,
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
  const apart = PARTS.flatMap((part) => {
    const fields = examplesApart(runs, readings.metrics, part);
    return fields.length === 0 ? [] : [{ part, fields }];
  });
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
    metrics: readings.metrics.map((one) => (isOfAny(one, apart) ? withoutBetter(one) : one)),
    apart,
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
            .map((other) => {
              const ids = [...base.group.runIds, ...other.group.runIds];
              const both = runs.filter(({ summary }) => ids.includes(summary.id));
              const part = PARTS.find((name) => metric.startsWith(`${name}/`));
              const differ = part === undefined ? [] : examplesApart(both, readings.metrics, part);
              return verdictOf(base, other, direction, unfinished, differ);
            }),
  };
}

const PARTS = ["test", "val"] as const;

/** As far as configs tell; what a script measured on it does not say. */
function examplesApart(
  runs: readonly ComparableRun[],
  metrics: readonly ComparedMetric[],
  part: (typeof PARTS)[number],
): string[] {
  const ofPart = metrics.filter(({ name }) => name.startsWith(`${part}/`));
  const measured = runs.filter(
    ({ summary }) =>
      summary.source === "recipe" &&
      summary.recipe !== "command" &&
      ofPart.some(({ readings }) => readings.some(({ run_id: id }) => id === summary.id)),
  );
  return setDifferences(
    measured.map(({ resolved }) => ({
      config: resolved as Measured["config"],
      data: { source: resolved.data },
      metrics: { [`${part}/`]: 0 },
    })),
    part,
  );
}

function isOfAny({ name }: ComparedMetric, apart: ComparisonReport["apart"]): boolean {
  return apart.some(({ part }) => name.startsWith(`${part}/`));
}

function withoutBetter(metric: ComparedMetric): ComparedMetric {
  return { ...metric, better: { last: [], best: [] } };
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
