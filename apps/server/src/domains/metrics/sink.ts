// Takes the worker's points, and the starts of attempts that supersede earlier points.
import type { MetricAppended, WorkerEvent } from "@spotter/contract";
import type { ProcedureCall } from "../../platform/db/database.ts";
import type { BatchContext, Sink, SinkPlan } from "../../platform/sink.ts";
import type { AttemptPayload, IngestResult } from "./procedures.ts";
import { type ParsedSeries, readSeries } from "./series-parser.ts";
import { type BatchWriter, joinSeries, type PlannedIngest } from "./writer.ts";

export type EpochCompleted = Extract<WorkerEvent, { type: "epoch-completed" }>;
type PointsEvent = Extract<WorkerEvent, { type: "metric-points" }>;

/** Who is told after the commit. */
export interface MetricsSinkListener {
  appended(event: MetricAppended, parsed: ParsedSeries, result: IngestResult): void;
  ended(runId: number): void;
  epochCompleted(runId: number, event: EpochCompleted): void;
}

export function metricsSink(writer: BatchWriter, listener: MetricsSinkListener): Sink {
  return {
    types: ["metric-points", "run-started", "epoch-completed", "run-ended", "attempt-ended"],
    plan: (context, events) => plan(writer, listener, context, events),
  };
}

function plan(
  writer: BatchWriter,
  listener: MetricsSinkListener,
  context: BatchContext,
  events: readonly WorkerEvent[],
): SinkPlan {
  const points = events.filter((event): event is PointsEvent => event.type === "metric-points");
  const ingest = planPoints(writer, context, points);
  const starts = events.flatMap((event) =>
    event.type === "run-started" ? startOf(context, event.first_step) : [],
  );
  const hasEnded = events.some(({ type }) => type === "run-ended" || type === "attempt-ended");
  const ingestedOf = (results: readonly unknown[]) =>
    ingest === undefined ? undefined : (results[0] as IngestResult);
  return {
    procedures: ingest === undefined ? starts : [ingest.call, ...starts],
    commitNoOf: (results) => ingestedOf(results)?.commitNo ?? null,
    afterCommit: (results) => {
      const result = ingestedOf(results);
      if (ingest !== undefined && result !== undefined) {
        writer.learn(context.jobId, ingest, result);
        listener.appended(appendedOf(context, points, result.commitNo), ingest.parsed, result);
      }
      for (const event of events)
        if (event.type === "epoch-completed") listener.epochCompleted(context.jobId, event);
      if (hasEnded) listener.ended(context.jobId);
    },
  };
}

function planPoints(
  writer: BatchWriter,
  context: BatchContext,
  events: readonly PointsEvent[],
): PlannedIngest | undefined {
  const parsed = joinSeries(events.map((event) => readSeries(event.series)));
  if (parsed.names.length === 0) return undefined;
  return writer.plan(context.jobId, context.attempt, context.receivedAt, parsed);
}

function startOf({ jobId, attempt }: BatchContext, firstStep: number): ProcedureCall {
  const payload: AttemptPayload = { runId: jobId, attempt, firstStep };
  return { name: "metrics-attempt", payload };
}

function appendedOf(
  { jobId, attempt }: BatchContext,
  events: readonly PointsEvent[],
  commitNo: number,
): MetricAppended {
  const [only] = events;
  const series = events.length === 1 && only !== undefined ? withPoints(only.series) : join(events);
  return { type: "metric-appended", run_id: jobId, commit_no: commitNo, attempt, series };
}

function withPoints(series: PointsEvent["series"]): PointsEvent["series"] {
  if (Object.values(series).every((columns) => columns.step.length > 0)) return series;
  return Object.fromEntries(Object.entries(series).filter(([, { step }]) => step.length > 0));
}

function join(events: readonly PointsEvent[]): PointsEvent["series"] {
  const joined: PointsEvent["series"] = {};
  for (const { series } of events)
    for (const [name, { step, time, value }] of Object.entries(withPoints(series))) {
      const columns = joined[name] ?? { step: [], time: [], value: [] };
      joined[name] = columns;
      // One by one: spreading 100,000 arguments overflows the stack.
      for (const one of step) columns.step.push(one);
      for (const one of time) columns.time.push(one);
      for (const one of value) columns.value.push(one);
    }
  return joined;
}
