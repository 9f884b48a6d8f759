// Takes the worker's points, and the starts of attempts that supersede earlier points.
import { encodeMetricValue, type MetricAppended, type WorkerEvent } from "@spotter/contract";
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
  /** A later attempt has begun: earlier points may be superseded now. */
  wentBack(runId: number): void;
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
  const epochs = events.filter((event) => event.type === "epoch-completed");
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
        listener.appended(
          appendedOf(context, ingest.parsed, result.commitNo),
          ingest.parsed,
          result,
        );
      }
      for (const event of epochs) listener.epochCompleted(context.jobId, event);
      if (starts.length > 0 && context.attempt > 1) listener.wentBack(context.jobId);
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

/**
 * The event as live readers see it. Its series are made from the columns when somebody looks: most batches have no
 * reader, and keeping the parsed JSON until the commit would cost the garbage collector a fifth of the main thread.
 */
function appendedOf(
  { jobId, attempt }: BatchContext,
  parsed: ParsedSeries,
  commitNo: number,
): MetricAppended {
  let made: MetricAppended["series"] | undefined;
  return {
    type: "metric-appended",
    run_id: jobId,
    commit_no: commitNo,
    attempt,
    get series() {
      made ??= seriesOf(parsed);
      return made;
    },
  };
}

function seriesOf({ names, columns }: ParsedSeries): MetricAppended["series"] {
  const series: MetricAppended["series"] = {};
  let from = 0;
  names.forEach((name, index) => {
    const to = from + (columns.counts[index] as number);
    const part = {
      step: Array.from(columns.step.subarray(from, to)),
      time: Array.from(columns.time.subarray(from, to)),
      value: Array.from(columns.value.subarray(from, to), encodeMetricValue),
    };
    from = to;
    const before = series[name];
    // Several events of one batch may hold the same series.
    series[name] =
      before === undefined
        ? part
        : {
            step: before.step.concat(part.step),
            time: before.time.concat(part.time),
            value: before.value.concat(part.value),
          };
  });
  return series;
}
