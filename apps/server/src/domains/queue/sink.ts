// The queue's own share of the worker's events: the states of job and attempt, acknowledged commands, results.
import { ACTIVE_STATES, type AttemptExit, type WorkerEvent } from "@spotter/contract";
import type { Statement } from "../../platform/db/database.ts";
import type { StatementMaker } from "../../platform/db/statement.ts";
import type { BatchContext, Sink, SinkPlan } from "../../platform/sink.ts";
import { endingOf, sentenceOf } from "./endings.ts";
import { fetchLater, fetchNoMore } from "./fetches-store.ts";
import { CHANGES_FILE } from "./material.ts";
import type { RetryDecision } from "./retries.ts";

/** A worker that told its run's end should be gone soon; one that hangs then is ended by signals. */
const LINGER_S = 60;
const ACTIVE = ACTIVE_STATES.map((state) => `'${state}'`).join(", ");
/** Reverts, and nobody has asked it to stop meanwhile. */
const RESTARTS = `restart_from IS NOT NULL AND stop_requested_at IS NULL AND state IN (${ACTIVE})`;
/** Gives way to an urgent one: however its attempt ends now, it goes on later. */
const YIELDS = `preempted_by IS NOT NULL AND stop_requested_at IS NULL AND state IN (${ACTIVE})`;

export interface QueueSinkListener {
  jobTouched(jobId: number): void;
  attemptEnded(jobId: number): void;
  commandAcked(commandId: number): void;
  /** What a worker on another machine has saved, and what its policy has removed there. */
  fileTold(): void;
  fileRemoved(jobId: number, path: string): void;
  /** What becomes of a job whose attempt ended so; read before the transaction. */
  retryOf(jobId: number, attempt: number, exit: AttemptExit): Promise<RetryDecision>;
}

/** @param hasFarFiles whether workers' files lie on other machines, and are to be brought home */
export function queueSink(
  statement: StatementMaker,
  listener: QueueSinkListener,
  hasFarFiles: boolean,
): Sink {
  return {
    types: [
      "run-started",
      "run-progress",
      "run-paused",
      "run-ended",
      "attempt-ended",
      "heartbeat",
      "command-acked",
      "job-result",
      ...(hasFarFiles ? (["file-saved", "file-removed"] as const) : []),
    ],
    plan: (context, events) => {
      const planWith = (retry: RetryDecision): SinkPlan => ({
        statements: newest(events).flatMap((event) => [
          ...statementsOf(statement, context, event, retry),
          ...(hasFarFiles ? fetching(statement, context, event) : []),
        ]),
        afterCommit: () => tell(listener, context, events),
      });
      const ended = events.find((event) => event.type === "attempt-ended");
      if (ended === undefined) return planWith(null);
      return listener.retryOf(context.jobId, context.attempt, ended.exit).then(planWith);
    },
  };
}

function tell(
  listener: QueueSinkListener,
  { jobId }: BatchContext,
  events: readonly WorkerEvent[],
): void {
  // How far it has come concerns the next look at the queue, and nobody who waits for the job.
  if (events.some(({ type }) => type !== "run-progress")) listener.jobTouched(jobId);
  for (const event of events) {
    if (event.type === "command-acked") listener.commandAcked(event.command_id);
    if (event.type === "attempt-ended") listener.attemptEnded(jobId);
    if (event.type === "file-removed") listener.fileRemoved(jobId, event.path);
    if (event.type === "file-saved" || event.type === "command-acked") listener.fileTold();
  }
}

/** A `set` has put itself down in a file of the run's, which its next attempt reads. */
function fetching(
  statement: StatementMaker,
  context: BatchContext,
  event: WorkerEvent,
): Statement[] {
  if (event.type === "file-saved") return [fetchLater(statement, context, event)];
  if (event.type === "file-removed") return [fetchNoMore(statement, context.jobId, event.path)];
  if (event.type !== "command-acked" || !event.change) return [];
  const changes = { path: CHANGES_FILE, kind: "other" as const, sha256: null };
  return [fetchLater(statement, context, changes)];
}

/** Of several progress reports in one batch only the last says anything. */
function newest(events: readonly WorkerEvent[]): WorkerEvent[] {
  const lastProgress = events.findLast((event) => event.type === "run-progress");
  return events.filter((event) => event.type !== "run-progress" || event === lastProgress);
}

function statementsOf(
  statement: StatementMaker,
  context: BatchContext,
  event: WorkerEvent,
  retry: RetryDecision,
): Statement[] {
  const { jobId, attempt, receivedAt } = context;
  switch (event.type) {
    case "run-started":
      return [
        statement(
          `UPDATE jobs SET state = 'running', started_at = COALESCE(started_at, ?), reason = NULL
           WHERE id = ? AND state = 'starting'`,
          [event.time, jobId],
        ),
        statement(
          `UPDATE attempts SET first_step = ?,
           state = CASE WHEN state = 'starting' THEN 'running' ELSE state END
           WHERE job_id = ? AND attempt = ?`,
          [event.first_step, jobId, attempt],
        ),
      ];
    case "run-progress":
      return [
        statement(
          `UPDATE attempts SET last_step = ?, expected_end = ? WHERE job_id = ? AND attempt = ?`,
          [event.step, event.eta_s === null ? null : event.time + event.eta_s, jobId, attempt],
        ),
      ];
    case "run-paused":
      return [
        statement(`UPDATE jobs SET state = ? WHERE id = ? AND state IN ('running', 'paused')`, [
          event.paused ? "paused" : "running",
          jobId,
        ]),
      ];
    case "run-ended":
      return runEnded(statement, context, event);
    case "attempt-ended":
      return attemptEnded(statement, context, event, retry);
    case "heartbeat":
      return [
        statement(`UPDATE attempts SET heartbeat_at = ? WHERE job_id = ? AND attempt = ?`, [
          receivedAt,
          jobId,
          attempt,
        ]),
      ];
    case "command-acked":
      return commandAcked(statement, context, event);
    case "job-result":
      return [
        statement(`UPDATE jobs SET result = ? WHERE id = ?`, [JSON.stringify(event.result), jobId]),
      ];
    default:
      return [];
  }
}

/**
 * A worker that goes on after a change which its server thought lost tells it again: an expired command is done then. A
 * `revert` or `preempt` that is done leaves its checkpoint on the job, from where the next attempt goes on once this one
 * has ended.
 */
function commandAcked(
  statement: StatementMaker,
  { jobId, attempt }: BatchContext,
  event: Extract<WorkerEvent, { type: "command-acked" }>,
): Statement[] {
  const { command_id: id, change = null, checkpoint = null } = event;
  const answers = (outcome: "done" | "refused") =>
    `EXISTS (SELECT 1 FROM job_commands WHERE job_commands.id = ?
       AND job_commands.job_id = jobs.id AND job_commands.action = 'preempt'
       AND job_commands.state = '${outcome}')`;
  return [
    statement(
      `UPDATE job_commands SET state = ?, acked_at = ?, message = ?, step = ?,
       change = CAST(? AS text)
       WHERE id = ? AND job_id = ? AND state IN ('sent', 'expired')`,
      [
        ...[event.outcome, event.time, event.message, event.step],
        ...[change === null ? null : JSON.stringify(change), id, jobId],
      ],
    ),
    statement(
      `UPDATE jobs SET
       restart_from = (SELECT restart_from FROM job_commands WHERE job_commands.id = ?),
       reverted_changes = (SELECT reverted FROM job_commands WHERE job_commands.id = ?)
       WHERE id = ? AND current_attempt = ? AND state IN (${ACTIVE}) AND EXISTS (SELECT 1 FROM job_commands
         WHERE job_commands.id = ? AND job_commands.job_id = jobs.id
         AND job_commands.action = 'revert' AND job_commands.state = 'done')`,
      [id, id, jobId, attempt, id],
    ),
    statement(
      `UPDATE jobs SET restart_from = CAST(? AS text)
       WHERE id = ? AND current_attempt = ? AND ${YIELDS} AND ${answers("done")}`,
      [checkpoint, jobId, attempt, id],
    ),
    // It trains on, and is not asked again, unless the request was taken back (`stay`) and it had not begun to obey.
    statement(
      `UPDATE attempts SET preempted = 0, yield_refused = CASE WHEN EXISTS (SELECT 1
         FROM job_commands WHERE job_commands.job_id = attempts.job_id
         AND job_commands.attempt = attempts.attempt
         AND job_commands.action = 'stay' AND job_commands.id > ?) THEN 0 ELSE 1 END
       WHERE job_id = ? AND attempt = ?
       AND EXISTS (SELECT 1 FROM jobs WHERE jobs.id = attempts.job_id
         AND ${YIELDS} AND ${answers("refused")})`,
      [id, jobId, attempt, id],
    ),
    statement(
      `UPDATE jobs SET preempted_by = NULL, kill_at = NULL, reason = NULL
       WHERE id = ? AND current_attempt = ? AND ${YIELDS} AND ${answers("refused")}`,
      [jobId, attempt, id],
    ),
  ];
}

/** The worker's own word on the ending stands above what the process's exit suggests, even when it comes later. */
function runEnded(
  statement: StatementMaker,
  context: BatchContext,
  event: Extract<WorkerEvent, { type: "run-ended" }>,
): Statement[] {
  const { jobId, attempt, receivedAt } = context;
  return [
    statement(
      `UPDATE jobs SET state = ?, started_at = COALESCE(started_at, ?), ended_at = ?, reason = ?,
       kill_at = ?, preempted_by = NULL
       WHERE id = ? AND state NOT IN ('queued', 'cancelled') AND restart_from IS NULL
       AND NOT (${YIELDS} AND ? = 'stopped')`,
      [
        event.state,
        event.time,
        event.time,
        event.error?.message ?? null,
        receivedAt + LINGER_S,
        jobId,
        event.state,
      ],
    ),
    // One that goes back or gives way ends only its attempt; its process must be gone as soon.
    statement(
      `UPDATE jobs SET kill_at = ? WHERE id = ? AND (restart_from IS NOT NULL OR (${YIELDS}))`,
      [receivedAt + LINGER_S, jobId],
    ),
    statement(`UPDATE attempts SET run_ended = 1 WHERE job_id = ? AND attempt = ?`, [
      jobId,
      attempt,
    ]),
    // An own script has no supervisor that would tell the end of its process.
    statement(
      `UPDATE attempts SET state = 'ended', ended_at = ? WHERE job_id = ? AND attempt = ?
       AND (SELECT kind FROM jobs WHERE jobs.id = attempts.job_id) = 'external'`,
      [event.time, jobId, attempt],
    ),
    ...closing(statement, context),
  ];
}

function attemptEnded(
  statement: StatementMaker,
  context: BatchContext,
  event: Extract<WorkerEvent, { type: "attempt-ended" }>,
  retry: RetryDecision,
): Statement[] {
  const { jobId, attempt, receivedAt } = context;
  const ending = endingOf(event.exit);
  return [
    ...givesWay(statement, context),
    ...waitsAgain(statement, context, retry),
    statement(
      `UPDATE attempts SET state = 'ended', ended_at = ?, exit = ?
       WHERE job_id = ? AND attempt = ? AND state <> 'ended'`,
      [event.time, JSON.stringify(event.exit), jobId, attempt],
    ),
    statement(
      `UPDATE jobs SET state = CASE WHEN stop_requested_at IS NULL THEN ? ELSE 'stopped' END,
       reason = CASE WHEN stop_requested_at IS NULL THEN ? ELSE 'Stopped as asked.' END,
       ended_at = ?, preempted_by = NULL
       WHERE id = ? AND state IN (${ACTIVE}) AND NOT (${RESTARTS})`,
      [ending.state, retry?.reason ?? ending.reason, event.time, jobId],
    ),
    ...saysLimit(statement, jobId, event.exit),
    statement(
      `UPDATE jobs SET state = 'queued', resume_from = restart_from, ended_at = NULL,
       queued_at = ?, not_before = NULL, attempts_before = current_attempt,
       reason = 'Goes back to the checkpoint of before a change.'
       WHERE id = ? AND ${RESTARTS}`,
      [receivedAt, jobId],
    ),
    // One that goes back keeps it until it starts: nobody else gets what it held.
    statement(
      `UPDATE jobs SET kill_at = NULL, restart_from =
       CASE WHEN state = 'queued' AND preempted_by IS NULL THEN restart_from END WHERE id = ?`,
      [jobId],
    ),
    ...closing(statement, context),
  ];
}

/** From the checkpoint that its worker told; else, where signals ended it, from the newest one: `not_before` says so. */
function givesWay(
  statement: StatementMaker,
  { jobId, attempt, receivedAt }: BatchContext,
): Statement[] {
  return [
    statement(
      `UPDATE jobs SET state = 'queued', queued_at = ?, ended_at = NULL,
       resume_from = COALESCE(restart_from, resume_from),
       not_before = CASE WHEN restart_from IS NULL THEN CAST(? AS double precision) END,
       num_preemptions = num_preemptions + 1
       WHERE id = ? AND current_attempt = ? AND ${YIELDS}`,
      [receivedAt, receivedAt, jobId, attempt],
    ),
  ];
}

/** Made good by another attempt, unless somebody has stopped it meanwhile. */
function waitsAgain(
  statement: StatementMaker,
  { jobId, attempt, receivedAt }: BatchContext,
  retry: RetryDecision,
): Statement[] {
  if (retry?.kind !== "again") return [];
  return [
    statement(
      `UPDATE jobs SET state = 'queued', reason = ?, not_before = ?, queued_at = ?
       WHERE id = ? AND current_attempt = ? AND stop_requested_at IS NULL AND restart_from IS NULL
       AND state IN (${ACTIVE})`,
      [retry.reason, retry.notBefore, receivedAt, jobId, attempt],
    ),
  ];
}

/** A worker that was stopped for its limit says no more than that it was stopped. */
function saysLimit(statement: StatementMaker, jobId: number, exit: AttemptExit): Statement[] {
  if (exit.reason !== "time-limit") return [];
  return [
    statement(
      `UPDATE jobs SET reason = ?
       WHERE id = ? AND state = 'stopped' AND reason IS NULL AND stop_requested_at IS NULL`,
      [sentenceOf(exit), jobId],
    ),
  ];
}

/** Once both ends are known nothing more can come, and nobody is left to carry out commands. */
function closing(statement: StatementMaker, context: BatchContext): Statement[] {
  const { jobId, attempt, receivedAt } = context;
  return [
    statement(
      `UPDATE attempts SET closed_at = ?
       WHERE job_id = ? AND attempt = ? AND run_ended = 1 AND state = 'ended'`,
      [receivedAt, jobId, attempt],
    ),
    statement(
      `UPDATE job_commands SET state = 'expired'
       WHERE job_id = ? AND attempt = ? AND state = 'sent'`,
      [jobId, attempt],
    ),
  ];
}
