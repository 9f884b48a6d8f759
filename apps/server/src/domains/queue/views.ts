// Turns the queue's rows into the contract's shapes.
import { type Attempt, AttemptExit, type Job, type RunCommand } from "@spotter/contract";
import type { z } from "zod";
import { limitsOf } from "./planner.ts";
import type { AttemptRow, JobCommandRow, JobRow } from "./tables.ts";

export function toAttempt(row: AttemptRow): Attempt {
  return {
    attempt: row.attempt,
    state: row.state,
    started_at: row.started_at,
    ended_at: row.ended_at,
    last_event_at: row.last_event_at,
    first_step: row.first_step,
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
  };
}
