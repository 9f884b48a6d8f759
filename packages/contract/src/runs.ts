// Training runs: config, state, progress, files, logs, commands.
import { z } from "zod";
import { Role } from "./auth.ts";
import { defineEndpoint } from "./endpoint.ts";
import { Attempt, JobState } from "./queue.ts";
import { RecipeName } from "./recipes/recipes.ts";
import {
  BooleanText,
  Done,
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
import {
  CommandAction,
  EventBatch,
  EventReceipt,
  FileKind,
  LogLevel,
  MAX_BATCH_BYTES,
  RunProgressEvent,
} from "./worker.ts";

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
  last_event_at: UnixTime.nullable(),
  archived_at: UnixTime.nullable(),
  deleted_at: UnixTime.nullable(),
  progress: RunProgress.nullable(),
  /** The metric that chooses the best model, with its best value. */
  best: z.object({ metric: MetricName, value: MetricValue, step: z.number().int() }).nullable(),
  /** Last values of at most 12 headline metrics (`train/loss`, `val/accuracy`, …). */
  metrics: z.record(MetricName, MetricValue),
  parent_id: Id.nullable(),
});
export type RunSummary = z.infer<typeof RunSummary>;

export const Run = RunSummary.extend({
  note: z.string(),
  config: JsonObject,
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
    /** Made by the client; a repeat with the same id returns the run that was made first. */
    client_id: z.string().min(8).max(100).optional(),
  })
  .strict();
export const createRun = defineEndpoint({
  domain: "runs",
  name: "create-run",
  method: "POST",
  path: "/api/runs",
  access: "project-member",
  summary: "Queue a training of a recipe, or open a run for an own script.",
  body: CreateRun,
  response: Run,
  status: 201,
});

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
export const listRuns = defineEndpoint({
  domain: "runs",
  name: "list-runs",
  method: "GET",
  path: "/api/runs",
  access: "signed-in",
  summary: "Runs of the projects that you are in: filtered, sorted, by pages.",
  query: ListRunsQuery,
  response: RunPage,
});

/** Metric names that list columns and sorting can use. */
export const listRunMetricNames = defineEndpoint({
  domain: "runs",
  name: "list-run-metric-names",
  method: "GET",
  path: "/api/runs/metric-names",
  access: "signed-in",
  summary: "Metric names that the runs list can show and sort by.",
  query: z.object({ q: z.string().max(200).optional(), limit: limitText(50, 500) }),
  response: z.object({ names: z.array(z.string()) }),
});

export const RunParams = z.object({ run_id: IdText });
export const getRun = defineEndpoint({
  domain: "runs",
  name: "get-run",
  method: "GET",
  path: "/api/runs/:run_id",
  access: "project-viewer",
  summary: "One run, whole.",
  params: RunParams,
  response: Run,
});
export const UpdateRun = z
  .object({
    name: Title.optional(),
    note: z.string().max(10_000).optional(),
    tags: z.array(Tag).max(20).optional(),
    archived: z.boolean().optional(),
  })
  .strict();
export const updateRun = defineEndpoint({
  domain: "runs",
  name: "update-run",
  method: "PATCH",
  path: "/api/runs/:run_id",
  access: "project-member",
  summary: "Rename, note, tag or archive a run.",
  params: RunParams,
  body: UpdateRun,
  response: Run,
});
export const deleteRun = defineEndpoint({
  domain: "runs",
  name: "delete-run",
  method: "DELETE",
  path: "/api/runs/:run_id",
  access: "project-member",
  summary: "Delete a run that has ended; it can be restored for 7 days.",
  params: RunParams,
  response: Done,
});
export const restoreRun = defineEndpoint({
  domain: "runs",
  name: "restore-run",
  method: "POST",
  path: "/api/runs/:run_id/restore",
  access: "project-member",
  summary: "Bring back a deleted run.",
  params: RunParams,
  response: Run,
});

export const resumeRun = defineEndpoint({
  domain: "runs",
  name: "resume-run",
  method: "POST",
  path: "/api/runs/:run_id/resume",
  access: "project-member",
  summary: "Queue a new attempt of a failed or stopped run, from its last complete checkpoint.",
  params: RunParams,
  response: Run,
});

export const sendRunEvents = defineEndpoint({
  domain: "runs",
  name: "send-run-events",
  maxBodyBytes: MAX_BATCH_BYTES,
  method: "POST",
  path: "/api/runs/:run_id/events",
  access: "project-member",
  summary: "Hand over one numbered batch of an own script's events.",
  params: RunParams,
  body: EventBatch,
  response: EventReceipt,
});

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
export const listRunLogs = defineEndpoint({
  domain: "runs",
  name: "list-run-logs",
  method: "GET",
  path: "/api/runs/:run_id/logs",
  access: "project-viewer",
  summary: "Log lines: the last ones, or those after or before a line.",
  params: RunParams,
  query: LogQuery,
  response: LogPage,
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
export const listRunFiles = defineEndpoint({
  domain: "runs",
  name: "list-run-files",
  method: "GET",
  path: "/api/runs/:run_id/files",
  access: "project-viewer",
  summary: "Checkpoints, weights and other files of a run.",
  params: RunParams,
  response: z.object({ files: z.array(RunFile), total_size: z.number().int() }),
});
export const downloadRunFile = defineEndpoint({
  domain: "runs",
  name: "download-run-file",
  method: "GET",
  path: "/api/runs/:run_id/files/:file_id/content",
  access: "project-viewer",
  summary: "A file's bytes (a checkpoint folder as its manifest).",
  params: z.object({ run_id: IdText, file_id: IdText }),
  stream: "file",
});

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
});
export type RunCommand = z.infer<typeof RunCommand>;
export const listRunCommands = defineEndpoint({
  domain: "runs",
  name: "list-run-commands",
  method: "GET",
  path: "/api/runs/:run_id/commands",
  access: "project-viewer",
  summary: "Commands that people gave to a run, with what came of them.",
  params: RunParams,
  response: z.object({ commands: z.array(RunCommand) }),
});

/** Seeds' door: without `run_id`, the newest active run. `cancel` ends a queued run, or a running one without saving. */
export const ControlRequest = z
  .object({
    action: z.enum(["pause", "resume", "stop", "cancel", "checkpoint"]),
    run_id: Id.optional(),
  })
  .strict();
export const ControlAnswer = z.object({
  run_id: Id,
  action: z.string(),
  state: JobState,
  command: RunCommand.nullable(),
});
export type ControlAnswer = z.infer<typeof ControlAnswer>;
export const controlTraining = defineEndpoint({
  domain: "runs",
  name: "control-training",
  method: "POST",
  path: "/api/training/control",
  access: "project-member",
  summary: "Pause, resume, stop, cancel or checkpoint a run.",
  body: ControlRequest,
  response: ControlAnswer,
  status: 202,
});

export const Prediction = z.object({
  input: z.string(),
  label: z.string(),
  confidence: z.number(),
  top: z.array(z.object({ label: z.string(), confidence: z.number() })),
  /** The true label, where the input came from the test split. */ truth: z.string().nullable(),
  /** 2-D grey image, 0–1, where the input is small enough to show in a terminal. */ thumbnail: z
    .array(z.array(z.number()))
    .nullable(),
});
export type Prediction = z.infer<typeof Prediction>;
/** Images as base64 (PNG, JPEG, …) or numbers of samples from the run's own test split. */
export const PredictRequest = z
  .object({
    images: z
      .array(z.object({ name: z.string().max(200), base64: z.string().max(14_000_000) }))
      .max(16)
      .default([]),
    test_samples: z.number().int().min(0).max(64).default(0),
  })
  .strict();
export const PredictAnswer = z.object({
  run_id: Id,
  weights: z.string(),
  sha256: Sha256,
  predictions: z.array(Prediction),
  test_accuracy: z.number().nullable(),
  latency_ms: z.number(),
});
export type PredictAnswer = z.infer<typeof PredictAnswer>;
export const predictWithRun = defineEndpoint({
  domain: "runs",
  name: "predict-with-run",
  // Sixteen images of 4 MB, and what base64 adds.
  maxBodyBytes: 96 * 1024 * 1024,
  method: "POST",
  path: "/api/runs/:run_id/predict",
  access: "project-member",
  summary: "Load a run's saved weights and classify images with them.",
  params: RunParams,
  body: PredictRequest,
  response: PredictAnswer,
});
