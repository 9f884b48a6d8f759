// The worker events that a run's own rows are made of: facts, progress, files, log lines, endings.
import { decodeMetricValue, type MetricValue, type WorkerEvent } from "@spotter/contract";
import type { Statement } from "../../platform/db/database.ts";
import type { StatementMaker } from "../../platform/db/statement.ts";
import type { BatchContext, Sink, SinkPlan } from "../../platform/sink.ts";
import { hintOf, sentenceOf } from "../queue/index.ts";
import { logLineStatements } from "./logs-store.ts";
import { MIRROR_JOB } from "./store.ts";
import type { RunFacts } from "./tables.ts";

export interface RunsSinkListener {
  runTouched(runId: number): void;
  linesAppended(runId: number, numLines: number): void;
  fileChanged(runId: number, path: string): void;
  attemptEnded(runId: number): void;
}

type Event<T extends WorkerEvent["type"]> = Extract<WorkerEvent, { type: T }>;

/** @param maxLogLines so many of a run's are kept */
export function runsSink(
  statement: StatementMaker,
  listener: RunsSinkListener,
  maxLogLines: number,
): Sink {
  return {
    types: [
      "run-started",
      "run-progress",
      "epoch-completed",
      "file-saved",
      "file-removed",
      "log-lines",
      "run-paused",
      "run-ended",
      "attempt-ended",
      "command-acked",
    ],
    plan: (context, events): SinkPlan => ({
      statements: statementsOf(statement, context, events, maxLogLines),
      afterCommit: () => tell(listener, context.jobId, events),
    }),
  };
}

function statementsOf(
  statement: StatementMaker,
  context: BatchContext,
  events: readonly WorkerEvent[],
  maxLogLines: number,
): Statement[] {
  const { jobId, attempt, receivedAt } = context;
  const lines = events.flatMap((event) => (event.type === "log-lines" ? event.lines : []));
  const statements = logLineStatements(statement, jobId, attempt, lines, maxLogLines);
  for (const event of newest(events)) {
    if (event.type === "run-started") statements.push(...started(statement, context, event));
    if (event.type === "run-progress") statements.push(progressed(statement, jobId, event));
    if (event.type === "epoch-completed") statements.push(...evaluated(statement, jobId, event));
    if (event.type === "file-saved") statements.push(...saved(statement, context, event));
    if (event.type === "file-removed")
      statements.push(
        statement(`UPDATE run_files SET removed_at = ? WHERE run_id = ? AND path = ?`, [
          event.time,
          jobId,
          event.path,
        ]),
      );
    if (event.type === "run-ended") statements.push(...ended(statement, context, event));
    if (event.type === "attempt-ended") statements.push(...lost(statement, context, event));
    // One that refuses to give way trains on, and its reason says so no more.
    if (event.type === "command-acked") statements.push(statement(MIRROR_JOB, [jobId]));
    if (event.type === "run-paused")
      statements.push(
        statement(MIRROR_JOB, [jobId]),
        event.paused
          ? trainsNoMore(statement, context, event.time)
          : trainsSince(statement, jobId, event.time),
      );
  }
  statements.push(statement(`UPDATE runs SET last_event_at = ? WHERE id = ?`, [receivedAt, jobId]));
  return statements;
}

/** Of several progress reports in one batch only the last says anything. */
function newest(events: readonly WorkerEvent[]): WorkerEvent[] {
  const lastProgress = events.findLast((event) => event.type === "run-progress");
  return events.filter((event) => event.type !== "run-progress" || event === lastProgress);
}

function started(
  statement: StatementMaker,
  { jobId, attempt }: BatchContext,
  event: Event<"run-started">,
): Statement[] {
  const { config, derived, model, data, device, hostname, versions, standing } = event;
  const facts: RunFacts = { config, derived, model, data, device, hostname, versions };
  const begins = [
    statement(`UPDATE runs SET facts = ?, error = NULL WHERE id = ?`, [
      JSON.stringify(facts),
      jobId,
    ]),
    statement(MIRROR_JOB, [jobId]),
    trainsSince(statement, jobId, event.time),
  ];
  if (attempt === 1 && standing === null) return begins;
  // What earlier attempts reached beyond this one's beginning is superseded: it is neither best nor last any more.
  const best = standing?.best ?? null;
  return [
    ...begins,
    statement(
      `UPDATE runs SET best = CAST(? AS text), epoch_means = CAST(? AS text) WHERE id = ?`,
      [best === null ? null : JSON.stringify(best), trainMeans(standing?.metrics ?? {}), jobId],
    ),
    // The metrics room tells the last values in force once it knows of this attempt.
    statement(`DELETE FROM run_metrics WHERE run_id = ? AND last_step >= ?`, [
      jobId,
      event.first_step,
    ]),
    ...(best === null ? [] : relabelled(statement, jobId, event.first_step, best.step)),
  ];
}

/** The best checkpoint of a discarded stretch had taken the name from the one that is best again. */
function relabelled(
  statement: StatementMaker,
  runId: number,
  firstStep: number,
  bestStep: number,
): Statement[] {
  const ofRun = "run_id = ? AND kind = 'checkpoint'";
  return [
    statement(`UPDATE run_files SET label = NULL WHERE ${ofRun} AND label = 'best' AND step >= ?`, [
      runId,
      firstStep,
    ]),
    statement(
      `UPDATE run_files SET label = 'best' WHERE ${ofRun} AND step = ? AND removed_at IS NULL`,
      [runId, bestStep],
    ),
  ];
}

function evaluated(
  statement: StatementMaker,
  runId: number,
  event: Event<"epoch-completed">,
): Statement[] {
  // An epoch that ends between two evaluations has measured nothing.
  const means =
    Object.keys(event.metrics).length === 0
      ? []
      : [
          statement(`UPDATE runs SET epoch_means = CAST(? AS text) WHERE id = ?`, [
            trainMeans(event.metrics),
            runId,
          ]),
        ];
  if (event.best === null) return means;
  const best = JSON.stringify(event.best);
  return [...means, statement(`UPDATE runs SET best = ? WHERE id = ?`, [best, runId])];
}

/** Means of training only: what an evaluation measures is one value anyway. */
function trainMeans(metrics: Record<string, MetricValue>): string | null {
  const means = Object.entries(metrics).filter(([name]) => name.startsWith("train/"));
  return means.length === 0 ? null : JSON.stringify(Object.fromEntries(means));
}

function trainsSince(statement: StatementMaker, runId: number, time: number): Statement {
  return statement(
    `UPDATE runs SET training_since = COALESCE(training_since, CAST(? AS double precision))
     WHERE id = ?`,
    [time, runId],
  );
}

/** Unless a later attempt trains meanwhile. */
function trainsNoMore(
  statement: StatementMaker,
  { jobId, attempt }: BatchContext,
  time: number,
): Statement {
  return statement(
    `UPDATE runs SET training_since = NULL, trained_s = trained_s
       + CASE WHEN CAST(? AS double precision) > training_since
         THEN CAST(? AS double precision) - training_since ELSE 0 END
     WHERE id = ? AND training_since IS NOT NULL
     AND (SELECT current_attempt FROM jobs WHERE jobs.id = runs.id) = ?`,
    [time, time, jobId, attempt],
  );
}

function progressed(
  statement: StatementMaker,
  runId: number,
  event: Event<"run-progress">,
): Statement {
  const { type: _, ...progress } = event;
  return statement(`UPDATE runs SET progress = ? WHERE id = ?`, [JSON.stringify(progress), runId]);
}

/** The same path again (after a resume) is the same file anew. */
function saved(
  statement: StatementMaker,
  context: BatchContext,
  event: Event<"file-saved">,
): Statement[] {
  const insert = statement(
    `INSERT INTO run_files
       (run_id, kind, path, size, sha256, attempt, step, epoch, metrics, label, created_at)
     SELECT id, CAST(? AS text), CAST(? AS text), CAST(? AS bigint), CAST(? AS text),
       CAST(? AS bigint), CAST(? AS bigint), CAST(? AS bigint), CAST(? AS text), CAST(? AS text),
       CAST(? AS double precision)
     FROM runs WHERE id = ?
     ON CONFLICT (run_id, path) DO UPDATE SET kind = excluded.kind, size = excluded.size,
       sha256 = excluded.sha256, attempt = excluded.attempt, step = excluded.step,
       epoch = excluded.epoch, metrics = excluded.metrics, label = excluded.label,
       created_at = excluded.created_at, removed_at = NULL`,
    [
      event.kind,
      event.path,
      event.size,
      event.sha256,
      context.attempt,
      event.step,
      event.epoch,
      JSON.stringify(event.metrics),
      event.label,
      event.time,
      context.jobId,
    ],
  );
  if (event.kind !== "checkpoint") return [insert];
  // One checkpoint is the best, and the last one is followed by none: those that were keep their places, not their names.
  const names = event.label === "best" ? `('best', 'last')` : `('last')`;
  const rename = statement(
    `UPDATE run_files SET label = NULL
     WHERE run_id = ? AND kind = 'checkpoint' AND label IN ${names}`,
    [context.jobId],
  );
  return [rename, insert];
}

function ended(
  statement: StatementMaker,
  context: BatchContext,
  event: Event<"run-ended">,
): Statement[] {
  const { jobId } = context;
  return [
    statement(MIRROR_JOB, [jobId]),
    trainsNoMore(statement, context, event.time),
    statement(`UPDATE runs SET error = ? WHERE id = ?`, [
      event.error === null ? null : JSON.stringify(event.error),
      jobId,
    ]),
    ...Object.entries(event.metrics).map(([name, value]) =>
      finalMetric(statement, jobId, name, value, event.time),
    ),
  ];
}

/** For what no chart has: the last point of a series stands, as the metrics room tells it, whatever weights were kept. */
function finalMetric(
  statement: StatementMaker,
  runId: number,
  name: string,
  value: MetricValue,
  time: number,
): Statement {
  const decoded = decodeMetricValue(value);
  return statement(
    `INSERT INTO run_metrics (run_id, name, last_value, last_time)
     SELECT id, CAST(? AS text), CAST(? AS double precision), CAST(? AS double precision)
     FROM runs WHERE id = ?
     ON CONFLICT (run_id, name) DO UPDATE SET last_value = excluded.last_value,
       last_time = excluded.last_time WHERE run_metrics.last_step IS NULL`,
    [name, Number.isNaN(decoded) ? null : decoded, time, runId],
  );
}

/** Where the worker could not tell why it ended, its process's exit must do. */
function lost(
  statement: StatementMaker,
  context: BatchContext,
  event: Event<"attempt-ended">,
): Statement[] {
  const { jobId } = context;
  const error = {
    kind: event.exit.reason ?? event.exit.signal ?? "process-ended",
    message: sentenceOf(event.exit),
    hint: hintOf(event.exit),
    traceback: null,
  };
  return [
    statement(MIRROR_JOB, [jobId]),
    trainsNoMore(statement, context, event.time),
    statement(`UPDATE runs SET error = ? WHERE id = ? AND error IS NULL AND state = 'failed'`, [
      JSON.stringify(error),
      jobId,
    ]),
  ];
}

function tell(listener: RunsSinkListener, runId: number, events: readonly WorkerEvent[]): void {
  let numLines = 0;
  for (const event of events) {
    if (event.type === "log-lines") numLines += event.lines.length;
    if (event.type === "file-saved" || event.type === "file-removed")
      listener.fileChanged(runId, event.path);
    if (event.type === "attempt-ended") listener.attemptEnded(runId);
  }
  if (numLines > 0) listener.linesAppended(runId, numLines);
  if (events.some(({ type }) => type !== "log-lines")) listener.runTouched(runId);
}
