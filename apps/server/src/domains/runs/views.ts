// Turns the runs room's rows into the contract's shapes.
import {
  encodeMetricValue,
  type LineageNode,
  type LogLine,
  type MetricValue,
  type Run,
  type RunFile,
  type RunFork,
  type RunSummary,
} from "@spotter/contract";
import type { z } from "zod";
import type { RunFacts, RunFileRow, RunRow } from "./tables.ts";

/** Metrics that the list shows unless told otherwise; at most fifteen. */
export const HEADLINE_METRICS: readonly string[] = [
  "train/loss",
  "val/loss",
  "train/accuracy",
  "val/accuracy",
  "test/accuracy",
  "test/loss",
  "train/learning_rate",
  "train/steps_per_s",
  "train/gradient_norm",
  "loss",
  "accuracy",
  "eval/loss",
  "continual/old_accuracy_before",
  "continual/old_accuracy_after",
  "continual/forgetting",
];

export type MetricValues = Record<string, MetricValue>;

export function toSummary(row: RunRow, metrics: MetricValues): RunSummary {
  return {
    id: row.id,
    project_id: row.project_id,
    name: row.name,
    source: row.source,
    recipe: row.recipe,
    state: row.state,
    reason: row.reason,
    owner_id: row.owner_id,
    owner_name: row.owner_name,
    tags: JSON.parse(row.tags),
    created_at: row.created_at,
    started_at: row.started_at,
    ended_at: row.ended_at,
    trained_s: row.trained_s,
    training_since: row.training_since,
    last_event_at: row.last_event_at,
    archived_at: row.archived_at,
    deleted_at: row.deleted_at,
    progress: parsed(row.progress),
    last_step: row.last_step,
    best: parsed(row.best),
    metrics,
    epoch_means: parsed(row.epoch_means) ?? {},
    parent_id: row.parent_id,
  };
}

/** What the room itself knows of a run; attempts, stream and role come from elsewhere. */
export function toRun(
  row: RunRow,
  metrics: MetricValues,
  rest: Pick<Run, "attempts" | "commit_no" | "num_points" | "num_series" | "role" | "fork">,
): Omit<Run, "config_changes"> {
  const facts = parsed<RunFacts>(row.facts);
  return {
    ...toSummary(row, metrics),
    note: row.note,
    config: facts?.config ?? JSON.parse(row.config),
    derived: facts?.derived ?? {},
    model: facts?.model ?? null,
    data: facts?.data ?? null,
    device: facts?.device ?? null,
    hostname: facts?.hostname ?? null,
    versions: facts?.versions ?? {},
    error: parsed(row.error),
    ...rest,
  };
}

export function toLineageNode(row: RunRow, fork: RunFork | null): LineageNode {
  return {
    id: row.id,
    name: row.name,
    source: row.source,
    recipe: row.recipe,
    state: row.state,
    owner_name: row.owner_name,
    created_at: row.created_at,
    started_at: row.started_at,
    deleted_at: row.deleted_at,
    last_step: row.last_step,
    best: parsed(row.best),
    fork,
  };
}

export function toFile(row: RunFileRow): z.infer<typeof RunFile> {
  return {
    id: row.id,
    kind: row.kind,
    path: row.path,
    size: row.size,
    sha256: row.sha256,
    attempt: row.attempt,
    step: row.step,
    epoch: row.epoch,
    metrics: JSON.parse(row.metrics),
    label: row.label,
    created_at: row.created_at,
    removed_at: row.removed_at,
  };
}

export function toLogLine(
  row: z.infer<typeof LogLine> & { run_id: number },
): z.infer<typeof LogLine> {
  const { run_id: _, ...line } = row;
  return line;
}

export function toMetricValue(stored: number | null): MetricValue {
  return encodeMetricValue(stored ?? Number.NaN);
}

function parsed<T>(json: string | null): T | null {
  return json === null ? null : (JSON.parse(json) as T);
}
