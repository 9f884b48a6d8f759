// Turns the queue's rows into the contract's shapes.
import {
  type Attempt,
  AttemptExit,
  ChangeResult,
  type Job,
  type RunCommand,
  type WorkerCommand as WorkerCommandSchema,
} from "@spotter/contract";
import type { z } from "zod";
import { limitsOf } from "./planner.ts";
import type { AttemptRow, CommandWish, JobCommandRow, JobRow } from "./tables.ts";

type WorkerCommand = z.infer<typeof WorkerCommandSchema>;

export function toAttempt(row: AttemptRow): Attempt {
  return {
    attempt: row.attempt,
    state: row.state,
    started_at: row.started_at,
    ended_at: row.ended_at,
    last_event_at: row.last_event_at,
    first_step: row.first_step,
    preempted: row.preempted === 1,
    exit: row.exit === null ? null : AttemptExit.parse(JSON.parse(row.exit)),
  };
}

export function toJob(row: JobRow, attempts: readonly AttemptRow[]): Job {
  return {
    id: row.id,
    kind: row.kind,
    project_id: row.project_id,
    owner_id: row.owner_id,
    state: row.state,
    priority: row.priority,
    created_at: row.created_at,
    started_at: row.started_at,
    ended_at: row.ended_at,
    attempts: attempts.map(toAttempt),
    reason: row.reason,
    limits: limitsOf(row),
  };
}

export function toCommand(row: JobCommandRow): z.infer<typeof RunCommand> {
  const wish = wishOf(row);
  return {
    id: row.id,
    action: row.action,
    state: row.state,
    created_at: row.created_at,
    created_by: row.created_by,
    created_by_name: row.created_by_name,
    acked_at: row.acked_at,
    message: row.message,
    step: row.step,
    values: wish.values ?? null,
    reason: wish.reason ?? null,
    change_id: wish.change_id ?? null,
    change: row.change === null ? null : ChangeResult.parse(JSON.parse(row.change)),
  };
}

export function toWorkerCommand(
  row: Pick<JobCommandRow, "id" | "action" | "created_at" | "wish" | "restart_from">,
): WorkerCommand {
  const { values } = wishOf(row);
  return {
    ...{ id: row.id, action: row.action, created_at: row.created_at },
    ...(values === undefined ? {} : { values }),
    ...(row.restart_from === null ? {} : { checkpoint: row.restart_from }),
  };
}

/** Commands of before 2026-11-21 have none. */
function wishOf({ wish }: Pick<JobCommandRow, "wish">): CommandWish {
  return wish === null ? {} : (JSON.parse(wish) as CommandWish);
}
