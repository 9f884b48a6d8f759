// Training runs as data: what a run, its logs, files, commands and predictions look like.
import { z } from "zod";
import { Role } from "./auth.ts";
import { ForkKept } from "./job-spec.ts";
import { Attempt, JobState } from "./queue.ts";
import { RecipeName } from "./recipes/recipes.ts";
import {
  BooleanText,
  Id,
  IdText,
  JsonObject,
  limitText,
  MetricName,
  MetricValue,
  Sha256,
  Tag,
  Title,
  UnixTime,
} from "./scalars.ts";
import { Priority, ResourceWish, RunLimits } from "./scheduling.ts";
import { CommandAction } from "./worker.ts";
import {
  ChangeResult,
  FileKind,
  LiveValue,
  LiveValues,
  LogLevel,
  RunProgressEvent,
} from "./worker-events.ts";

/** Where a run came from. */
export const RunSource = z.enum(["recipe", "script", "tensorboard"]);

/** The newest `run-progress` event of a run, as it is kept. */
export const RunProgress = RunProgressEvent.omit({ type: true }).strip();
export type RunProgress = z.infer<typeof RunProgress>;

export const RunError = z.object({
  kind: z.string(),
  message: z.string(),
  hint: z.string().nullable(),
  traceback: z.string().nullable(),
});

/** One row of the runs list: no series is read to make it. */
export const RunSummary = z.object({
  id: Id,
  project_id: Id,
  name: z.string(),
  source: RunSource,
  recipe: RecipeName.nullable(),
  state: JobState,
  /** Why it waits or failed, in one sentence. */
  reason: z.string().nullable(),
  owner_id: Id.nullable(),
  owner_name: z.string().nullable(),
  tags: z.array(z.string()),
  created_at: UnixTime,
  started_at: UnixTime.nullable(),
  ended_at: UnixTime.nullable(),
  /** 2026-11-22: seconds that it has trained, without waiting and pauses, up to `training_since` (null: it stands still). */
  trained_s: z.number().min(0).default(0),
  training_since: UnixTime.nullable().default(null),
  last_event_at: UnixTime.nullable(),
  archived_at: UnixTime.nullable(),
  deleted_at: UnixTime.nullable(),
  progress: RunProgress.nullable(),
  /** 2026-11-21: of the newest point; the only progress that a script of one's own tells. */
  last_step: z.number().int().nullable(),
  /** The metric that chooses the best model, with its best value. */
  best: z.object({ metric: MetricName, value: MetricValue, step: z.number().int() }).nullable(),
  /** Last values of at most 15 headline metrics (`train/loss`, `val/accuracy`, …). */
  metrics: z.record(MetricName, MetricValue),
  /**
   * 2026-11-22: means over all that was trained on between its last two evaluations (an epoch, unless it evaluates more
   * often), where it tells them: the last value of such a metric is one batch's.
   */
  epoch_means: z.record(MetricName, MetricValue).default({}),
  parent_id: Id.nullable(),
});
export type RunSummary = z.infer<typeof RunSummary>;

/** One field of a fork's config that differs from its parent's. */
export const ForkChange = z.object({ key: z.string(), from: z.json(), to: z.json() });
export type ForkChange = z.infer<typeof ForkChange>;

/** Where a fork began, what it kept, and what it changed. */
export const RunFork = z.object({
  parent_id: Id,
  step: z.number().int(),
  keep: ForkKept,
  changes: z.array(ForkChange),
});
export type RunFork = z.infer<typeof RunFork>;

/** One value that somebody changed while the run trained, and that nobody has taken back. */
export const ConfigChange = z.object({
  /** The config's own name. */
  key: z.string(),
  from: LiveValue,
  to: LiveValue,
  /** The first step that it holds for; null where the worker did not tell. */
  from_step: z.number().int().nullable(),
  at: UnixTime,
  by_name: z.string().nullable(),
  /** Why, in the person's own words. */
  reason: z.string().nullable(),
});
export type ConfigChange = z.infer<typeof ConfigChange>;

export const Run = RunSummary.extend({
  note: z.string(),
  /** What it began with, derived values filled in. */
  config: JsonObject,
  /** 2026-11-21: what people have changed since, in its order; the last one of a key is in force. */
  config_changes: z.array(ConfigChange).default([]),
  derived: z.record(z.string(), z.string()),
  model: z.object({ name: z.string(), parameters: z.number().int() }).nullable(),
  data: z
    .object({
      train: z.number().int(),
      validation: z.number().int(),
      test: z.number().int(),
      classes: z.array(z.string()),
    })
    .nullable(),
  device: z.string().nullable(),
  hostname: z.string().nullable(),
  versions: z.record(z.string(), z.string()),
  error: RunError.nullable(),
  /** 2026-11-21: where it began, for a run that began in another one's checkpoint. */
  fork: RunFork.nullable().default(null),
  attempts: z.array(Attempt),
  /** Position of the stream's end. */
  commit_no: z.number().int(),
  num_points: z.number().int(),
  num_series: z.number().int(),
  /** The caller's role in the run's project. */
  role: Role,
});
export type Run = z.infer<typeof Run>;

export const CreateRun = z
  .object({
    project_id: Id.optional(),
    name: Title.optional(),
    /** Names a recipe to train; absent for an own script that will send events itself. */
    recipe: RecipeName.optional(),
    /** 2026-11-21: who sends the events where no recipe is named; default `script`. */
    source: RunSource.exclude(["recipe"]).optional(),
    config: JsonObject.default({}),
    tags: z.array(Tag).max(20).default([]),
    note: z.string().max(10_000).default(""),
    /** 2026-11-21: the model that its weights become a version of; by default recipe and data. */
    model_name: Title.optional(),
    /** 2026-11-21: its class in the queue, what it wants for itself, where its limits are; not for own scripts. */
    priority: Priority.optional(),
    resources: ResourceWish.optional(),
    limits: RunLimits.optional(),
    /** Made by the client; a repeat with the same id returns the run that was made first. */
    client_id: z.string().min(8).max(100).optional(),
  })
  .strict();
export const RunSort = z
  .string()
  .regex(
    /^(id|created_at|name|state|duration|metric:.{1,250})$/,
    "must be id, created_at, name, state, duration or metric:<name>",
  );
export const ListRunsQuery = z.object({
  project_id: IdText.optional(),
  state: z.string().max(200).optional(),
  source: RunSource.optional(),
  /** Text in name, note or tags, or a run's number. */
  q: z.string().max(200).optional(),
  tag: Tag.optional(),
  archived: BooleanText.default("false"),
  deleted: BooleanText.default("false"),
  sort: RunSort.default("id"),
  direction: z.enum(["asc", "desc"]).default("desc"),
  /** Metric columns to bring along, comma-separated; default the headline ones. */
  metrics: z.string().max(4000).optional(),
  limit: limitText(100, 500),
  cursor: z.string().max(1000).optional(),
});
export const RunPage = z.object({
  runs: z.array(RunSummary),
  next_cursor: z.string().nullable(),
  total: z.number().int(),
});
export type RunPage = z.infer<typeof RunPage>;
export const RunParams = z.object({ run_id: IdText });
export const UpdateRun = z
  .object({
    name: Title.optional(),
    note: z.string().max(10_000).optional(),
    tags: z.array(Tag).max(20).optional(),
    archived: z.boolean().optional(),
  })
  .strict();
export const LogLine = z.object({
  line_no: z.number().int(),
  attempt: z.number().int(),
  time: UnixTime,
  stream: z.enum(["stdout", "stderr"]),
  level: LogLevel,
  text: z.string(),
  step: z.number().int().nullable(),
});
export type LogLine = z.infer<typeof LogLine>;
export const LogQuery = z.object({
  after: z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .optional(),
  before: IdText.optional(),
  level: LogLevel.optional(),
  q: z.string().max(200).optional(),
  limit: limitText(500, 5000),
});
export const LogPage = z.object({
  lines: z.array(LogLine),
  first_line_no: z.number().int().nullable(),
  last_line_no: z.number().int().nullable(),
  total: z.number().int(),
});
export const RunFile = z.object({
  id: Id,
  kind: FileKind,
  path: z.string(),
  size: z.number().int(),
  sha256: Sha256,
  attempt: z.number().int(),
  step: z.number().int().nullable(),
  epoch: z.number().int().nullable(),
  metrics: z.record(MetricName, MetricValue),
  label: z.string().nullable(),
  created_at: UnixTime,
  removed_at: UnixTime.nullable(),
});
export type RunFile = z.infer<typeof RunFile>;
export const RunCommand = z.object({
  id: Id,
  action: CommandAction,
  state: z.enum(["sent", "done", "refused", "expired"]),
  created_at: UnixTime,
  created_by: Id.nullable(),
  created_by_name: z.string().nullable(),
  acked_at: UnixTime.nullable(),
  message: z.string().nullable(),
  step: z.number().int().nullable(),
  /** Of a `set`: what was asked for. */
  values: LiveValues.nullable(),
  /** Why, in the person's own words. */
  reason: z.string().nullable(),
  /** Of a `revert`: the `set` that it takes back, and with it all later ones. */
  change_id: Id.nullable(),
  /** Of a `set` that is in force: what was before and after. */
  change: ChangeResult.nullable(),
});
export type RunCommand = z.infer<typeof RunCommand>;
/**
 * Seeds' door: without `run_id`, the newest active run. `cancel` ends a queued run, or a running one without saving.
 * `set` writes a checkpoint and changes values at the next step; `revert` goes back to that checkpoint.
 */
export const ControlRequest = z
  .object({
    action: z.enum(["pause", "resume", "stop", "cancel", "checkpoint", "set", "revert"]),
    run_id: Id.optional(),
    /** For `set`: new values by the config's names. */
    values: LiveValues.optional(),
    /** For `set`, where it is wanted, and `revert`: why; shown on every chart. */
    reason: z.string().trim().min(1).max(500).optional(),
    /** For `revert`: the command of the change to take back; default the newest that is in force. */
    change_id: Id.optional(),
  })
  .strict();
export const ControlAnswer = z.object({
  run_id: Id,
  action: z.string(),
  state: JobState,
  command: RunCommand.nullable(),
});
export type ControlAnswer = z.infer<typeof ControlAnswer>;
export const Prediction = z.object({
  input: z.string(),
  /** The answer in one word; null where the answer is a text. */ label: z.string().nullable(),
  confidence: z.number().nullable(),
  top: z.array(z.object({ label: z.string(), confidence: z.number() })),
  /** What a language model wrote after the input; null where the answer is a label. */ text: z
    .string()
    .nullable(),
  /** The true label, where the input came from the test split. */ truth: z.string().nullable(),
  /** 2-D grey image, 0–1, where the network sees one of at most 32 pixels. */ thumbnail: z
    .array(z.array(z.number()))
    .nullable(),
  // 2026-11-22: workers from before show no more than a thumbnail.
  /** Any other image as the network sees it: a PNG of at most 48 pixels, as base64. */ picture: z
    .string()
    .nullable()
    .default(null),
  // 2026-11-22: the same.
  /** A recording of the test split as the network hears it: a WAV, as base64; null where an answer would grow too large. */ sound:
    z.string().nullable().default(null),
  /** Where the data has it: `class/file.png`, `reviews.csv:12`; null for an input of one's own. */ name: z
    .string()
    .nullable()
    .default(null),
  /** The beginning of the text, or the question, that was asked. */ asked: z
    .string()
    .nullable()
    .default(null),
});
export type Prediction = z.infer<typeof Prediction>;
/** What a person gives to predict from: a file as base64 (an image, a sound), a text, or both. */
export const GivenInput = z
  .object({
    name: z.string().max(200),
    base64: z.string().max(14_000_000).optional(),
    text: z.string().max(100_000).optional(),
  })
  .strict();
export type GivenInput = z.infer<typeof GivenInput>;
/** Inputs of one's own, or the first so many samples of the run's own test split (fewer where it has fewer). */
export const PredictRequest = z
  .object({
    inputs: z.array(GivenInput).max(16).default([]),
    test_samples: z.number().int().min(0).max(64).default(0),
  })
  .strict();
/** An input that could not be answered, and why. */
export const PredictFailure = z.object({ input: z.string(), reason: z.string() });
export type PredictFailure = z.infer<typeof PredictFailure>;
/** At least one prediction: where no input could be answered, that is an error. */
export const PredictAnswer = z.object({
  run_id: Id,
  weights: z.string(),
  sha256: Sha256,
  predictions: z.array(Prediction),
  // 2026-11-22: workers from before answer all inputs or none.
  failures: z.array(PredictFailure).default([]),
  test_accuracy: z.number().nullable(),
  latency_ms: z.number(),
});
export type PredictAnswer = z.infer<typeof PredictAnswer>;
