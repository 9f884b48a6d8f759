// What a worker tells, in numbered batches; own scripts send the same events. The protocol's number is theirs too.
import { z } from "zod";
import { AttemptExit } from "./queue.ts";
import { Id, JsonObject, MetricName, MetricValue, Sha256, UnixTime } from "./scalars.ts";

export const PROTOCOL = 1;
/** Bounds of one batch; a larger one is refused whole. */
export const MAX_BATCH_BYTES = 16 * 1024 * 1024;
export const MAX_BATCH_POINTS = 200_000;

const Step = z.number().int().min(-9_007_199_254_740_991).max(9_007_199_254_740_991);

/** Columns of one series; equal lengths. `time` is Unix seconds. */
export const PointColumns = z
  .object({ step: z.array(Step), time: z.array(UnixTime), value: z.array(MetricValue) })
  .strict();
export type PointColumns = z.infer<typeof PointColumns>;

export const MetricPointsEvent = z
  .object({ type: z.literal("metric-points"), series: z.record(MetricName, PointColumns) })
  .strict();

export const RunStartedEvent = z
  .object({
    type: z.literal("run-started"),
    time: UnixTime,
    /** First step this attempt will report; earlier attempts' points at or beyond it become superseded. */
    first_step: z.number().int().min(0).default(0),
    resumed_from_step: z.number().int().nullable().default(null),
    total_steps: z.number().int().nullable().default(null),
    total_epochs: z.number().int().nullable().default(null),
    device: z.string().nullable().default(null),
    hostname: z.string().nullable().default(null),
    pid: z.number().int().nullable().default(null),
    model: z.object({ name: z.string(), parameters: z.number().int() }).nullable().default(null),
    data: z
      .object({
        train: z.number().int(),
        validation: z.number().int(),
        test: z.number().int(),
        classes: z.array(z.string()),
      })
      .nullable()
      .default(null),
    /** The config as resolved; and for each derived value, why it is what it is. */
    config: JsonObject.nullable().default(null),
    derived: z.record(z.string(), z.string()).default({}),
    versions: z.record(z.string(), z.string()).default({}),
    /**
     * 2026-11-22: what its checkpoint knows, of the history that is in force from now on: the best evaluation so far and
     * the last one's training means. Null at a beginning.
     */
    standing: z
      .object({
        best: z
          .object({ metric: MetricName, value: MetricValue, step: z.number().int() })
          .nullable(),
        metrics: z.record(MetricName, MetricValue),
      })
      .strict()
      .nullable()
      .default(null),
  })
  .strict();

/** Fields that are not points; at most a few a second. */
export const RunProgressEvent = z
  .object({
    type: z.literal("run-progress"),
    time: UnixTime,
    step: z.number().int(),
    total_steps: z.number().int().nullable(),
    epoch: z.number().int(),
    total_epochs: z.number().int().nullable(),
    /** Batch inside the epoch, from 1. */
    batch: z.number().int(),
    batches: z.number().int().nullable(),
    eta_s: z.number().nullable(),
    steps_per_s: z.number().nullable(),
    lr_schedule: z.string().nullable(),
    phase: z.enum(["preparing", "training", "evaluating", "paused", "testing", "saving"]),
  })
  .strict();

export const EpochCompletedEvent = z
  .object({
    type: z.literal("epoch-completed"),
    time: UnixTime,
    epoch: z.number().int(),
    step: z.number().int(),
    /** Of the evaluation at this step; empty where an epoch ends between two evaluations. */
    metrics: z.record(MetricName, MetricValue),
    checkpoint_saved: z.boolean(),
    /** The metric that chooses the best model. */
    best: z.object({ metric: MetricName, value: MetricValue, step: z.number().int() }).nullable(),
  })
  .strict();

export const FileKind = z.enum(["checkpoint", "weights", "config", "report", "other"]);
export const FileSavedEvent = z
  .object({
    type: z.literal("file-saved"),
    time: UnixTime,
    kind: FileKind,
    /** Relative to the run folder, forward slashes. */
    path: z.string().min(1).max(500),
    size: z.number().int().min(0),
    sha256: Sha256,
    step: z.number().int().nullable().default(null),
    epoch: z.number().int().nullable().default(null),
    metrics: z.record(MetricName, MetricValue).default({}),
    /** Kept by policy: `best`, `last`, `final`; null for an ordinary one. */
    label: z.string().max(40).nullable().default(null),
  })
  .strict();

/** A file that policy removed. */
export const FileRemovedEvent = z
  .object({
    type: z.literal("file-removed"),
    time: UnixTime,
    path: z.string().min(1).max(500),
    /** Bytes that are free again; workers before 2026-11 do not say. */
    size: z.number().int().min(0).optional(),
  })
  .strict();

export const LogLevel = z.enum(["debug", "info", "warning", "error"]);
export const LogLinesEvent = z
  .object({
    type: z.literal("log-lines"),
    lines: z
      .array(
        z.object({
          time: UnixTime,
          stream: z.enum(["stdout", "stderr"]),
          level: LogLevel,
          text: z.string().max(20_000),
          step: z.number().int().nullable().default(null),
        }),
      )
      .max(5_000),
  })
  .strict();

/** Of a config's field that may change while a run trains; null: off, or left to the recipe. */
export const LiveValue = z.number().nullable();
/** By the config's names. */
export const LiveValues = z.record(z.string().min(1).max(60), LiveValue);
export type LiveValues = z.infer<typeof LiveValues>;
/** What a `set` has changed, read back after it was put in force. */
export const ChangeResult = z
  .object({
    before: LiveValues,
    after: LiveValues,
    /** Of the step of the change, written before it; relative to the run folder. */
    checkpoint: z.string().min(1).max(500),
    /** The learning rate of the step that follows, under the old values and under the new ones. */
    rate_before: z.number(),
    rate_after: z.number(),
  })
  .strict();
export type ChangeResult = z.infer<typeof ChangeResult>;

export const CommandAckedEvent = z
  .object({
    type: z.literal("command-acked"),
    time: UnixTime,
    command_id: Id,
    outcome: z.enum(["done", "refused"]),
    message: z.string().max(2000).nullable().default(null),
    step: z.number().int().nullable().default(null),
    /** 2026-11-21: of a `set` that was done. */
    change: ChangeResult.nullable().optional(),
    /** 2026-11-21: of a `preempt` that was done: where the next attempt goes on from, relative to the run folder. */
    checkpoint: z.string().min(1).max(500).nullable().optional(),
  })
  .strict();

export const PhaseChangedEvent = z
  .object({
    type: z.literal("run-paused"),
    time: UnixTime,
    step: z.number().int(),
    paused: z.boolean(),
  })
  .strict();

export const RunEndedEvent = z
  .object({
    type: z.literal("run-ended"),
    time: UnixTime,
    state: z.enum(["finished", "failed", "stopped"]),
    /** Final metrics, `test/accuracy` among them. */
    metrics: z.record(MetricName, MetricValue).default({}),
    error: z
      .object({
        kind: z.string(),
        message: z.string(),
        hint: z.string().nullable(),
        traceback: z.string().nullable(),
      })
      .nullable()
      .default(null),
    /** 2026-11-21: only this attempt ends; another one goes on from a checkpoint. */
    goes_on: z.boolean().optional(),
  })
  .strict();

/** The answer of a job that is not a training, e.g. predict. */
export const JobResultEvent = z
  .object({ type: z.literal("job-result"), time: UnixTime, result: JsonObject })
  .strict();

/** From the supervisor only: the process is gone. */
export const AttemptEndedEvent = z
  .object({ type: z.literal("attempt-ended"), time: UnixTime, exit: AttemptExit })
  .strict();
/** From the supervisor only, every 5 s. */
export const HeartbeatEvent = z
  .object({ type: z.literal("heartbeat"), time: UnixTime, worker_pid: z.number().int().nullable() })
  .strict();

export const WorkerEvent = z.discriminatedUnion("type", [
  RunStartedEvent,
  MetricPointsEvent,
  RunProgressEvent,
  EpochCompletedEvent,
  FileSavedEvent,
  FileRemovedEvent,
  LogLinesEvent,
  CommandAckedEvent,
  PhaseChangedEvent,
  RunEndedEvent,
  JobResultEvent,
  AttemptEndedEvent,
  HeartbeatEvent,
]);
export type WorkerEvent = z.infer<typeof WorkerEvent>;
export type WorkerEventType = WorkerEvent["type"];

/**
 * One batch. `(job, attempt, source, seq)` is its identity: seq rises by one from 1, per source; a repeat is answered
 * `duplicate: true` and stores nothing; a gap is refused with `sequence-gap` and `expected_seq`.
 */
export const EventBatch = z
  .object({
    protocol: z.literal(PROTOCOL),
    attempt: z.number().int().positive(),
    source: z.enum(["worker", "supervisor"]).default("worker"),
    seq: z.number().int().positive(),
    sent_at: UnixTime.optional(),
    events: z.array(WorkerEvent).min(1).max(10_000),
  })
  .strict();
export type EventBatch = z.infer<typeof EventBatch>;
export type EventBatchInput = z.input<typeof EventBatch>;

export const EventReceipt = z.object({
  seq: z.number().int(),
  duplicate: z.boolean(),
  /** Position of the batch's points in the run's stream; null without points. */ commit_no: z
    .number()
    .int()
    .nullable(),
});
export type EventReceipt = z.infer<typeof EventReceipt>;
