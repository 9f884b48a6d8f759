// The worker protocol, version 1: the spec in, events out, commands in. Own scripts send the same events.
import { z } from "zod";
import { defineEndpoint } from "./endpoint.ts";
import { AttemptExit } from "./queue.ts";
import { Id, IdText, JsonObject, MetricName, MetricValue, Sha256, UnixTime } from "./scalars.ts";

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

const JobParams = z.object({ job_id: IdText });

/** One thing to predict from: a file (absolute path), a text, both, or a sample of the run's own test split, from 0. */
export const PredictInput = z
  .object({
    name: z.string(),
    file: z.string().nullable(),
    text: z.string().nullable(),
    sample: z.number().int().min(0).nullable(),
  })
  .strict();
export type PredictInput = z.infer<typeof PredictInput>;

/** 2026-11-21: what of a checkpoint a fork keeps beside the weights, which are always kept. */
export const ForkKept = z
  .object({
    optimizer: z.boolean(),
    scheduler: z.boolean(),
    rng: z.boolean(),
    data_position: z.boolean(),
  })
  .strict();
export type ForkKept = z.infer<typeof ForkKept>;

/** What a worker must know of the run that it forks; the checkpoint's folder is the place `fork_checkpoint`. */
export const ForkSpec = z
  .object({
    parent_id: Id,
    step: z.number().int().positive(),
    keep: ForkKept,
    /** By field of the config: the parent's value, and the fork's. */
    changed: z.record(z.string(), z.object({ before: z.json(), after: z.json() })),
    /** The parent's classes in the order of its outputs; empty where it has none. */
    classes: z.array(z.string()),
  })
  .strict();
export type ForkSpec = z.infer<typeof ForkSpec>;

/** What a worker is told to do. */
export const JobSpec = z.object({
  protocol: z.literal(PROTOCOL),
  job_id: Id,
  attempt: z.number().int().positive(),
  kind: z.enum(["train", "predict", "preflight"]),
  name: z.string(),
  recipe: z.string(),
  config: JsonObject,
  /**
   * Folder or file on this machine of every data and model source in the config that names one (`{path}`,
   * `{dataset_version}`, `{model_version}`), by the config's field: `data`, `init_from`, … Builtin and Hub sources have
   * none.
   */
  places: z.record(z.string(), z.string()),
  /** Checkpoint folder, relative to the run folder, to go on from; null to begin. */
  resume_from: z.string().nullable(),
  /** For `predict`: the weights folder (absolute), and what to predict from. */
  predict: z.object({ weights: z.string(), inputs: z.array(PredictInput).max(64) }).nullable(),
  /**
   * For `preflight` (since 2026-11): seconds that its checks may take together, and whether it tries learning rates and
   * one batch (absent: it does).
   */
  preflight: z
    .object({ budget_s: z.number(), trials: z.boolean().optional() })
    .nullable()
    .default(null),
  /** For a run that begins in another run's checkpoint (since 2026-11); counts where `resume_from` is null. */
  fork: ForkSpec.nullable().default(null),
  /** Cores that the worker may use. */
  num_threads: z.number().int().positive(),
  /** Since 2026-11: indexes of the GPUs that it gets, as nvidia-smi counts them; absent: those that it finds. */
  gpus: z.array(z.number().int().min(0)).optional(),
  /** Since 2026-11: the supervisor stops the attempt after so long, and ends it above so much memory. */
  limits: z.object({ time_s: z.number().nullable(), memory_gib: z.number().nullable() }).optional(),
  /** 2026-11-21: changes of earlier attempts (their commands) that people took back; absent where there are none. */
  reverted_changes: z.array(Id).optional(),
});
export type JobSpec = z.infer<typeof JobSpec>;

export const getJobSpec = defineEndpoint({
  domain: "queue",
  name: "get-job-spec",
  method: "GET",
  path: "/api/worker/jobs/:job_id",
  access: "worker",
  summary: "The spec of the attempt that the token belongs to.",
  params: JobParams,
  response: JobSpec,
});
export const sendWorkerEvents = defineEndpoint({
  domain: "queue",
  name: "send-worker-events",
  maxBodyBytes: MAX_BATCH_BYTES,
  method: "POST",
  path: "/api/worker/jobs/:job_id/events",
  access: "worker",
  summary: "Hand over one numbered batch of events.",
  params: JobParams,
  body: EventBatch,
  response: EventReceipt,
});

/** `preempt` is the queue's own: save, end, and go on later. */
export const CommandAction = z.enum([
  "pause",
  "resume",
  "stop",
  "checkpoint",
  "set",
  "revert",
  "preempt",
]);
export type CommandAction = z.infer<typeof CommandAction>;
export const WorkerCommand = z.object({
  id: Id,
  action: CommandAction,
  created_at: UnixTime,
  /** 2026-11-21: new values, of a `set`. */
  values: LiveValues.optional(),
  /** 2026-11-21: the checkpoint to go back to, of a `revert`; relative to the run folder. */
  checkpoint: z.string().optional(),
});
export type WorkerCommand = z.infer<typeof WorkerCommand>;
export const CommandQuery = z.object({
  attempt: z.string().regex(/^[1-9][0-9]{0,8}$/),
  after: z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .default("0"),
  /** Seconds to wait for one, at most 30. */
  wait: z
    .string()
    .regex(/^[0-9]{1,2}$/)
    .default("0"),
});
export const pollCommands = defineEndpoint({
  domain: "queue",
  name: "poll-commands",
  method: "GET",
  path: "/api/worker/jobs/:job_id/commands",
  access: "worker",
  summary: "Commands after an id; waits for one.",
  params: JobParams,
  query: CommandQuery,
  response: z.object({ commands: z.array(WorkerCommand) }),
});
export const putWorkerFile = defineEndpoint({
  domain: "queue",
  name: "put-worker-file",
  method: "PUT",
  path: "/api/worker/jobs/:job_id/files/:sha256",
  access: "worker",
  summary: "Send a file's bytes, for executors that share no disk.",
  params: z.object({ job_id: IdText, sha256: Sha256 }),
  response: z.object({ sha256: Sha256, size: z.number().int() }),
  status: 201,
  stream: "upload",
});
