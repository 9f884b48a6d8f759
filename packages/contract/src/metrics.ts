// Metrics: reading stored series, and the live doors that the seeds fix.
import { z } from "zod";
import { defineEndpoint } from "./endpoint.ts";
import { Id, IdText, limitText, MetricName, MetricValue, UnixTime } from "./scalars.ts";
import { PointColumns } from "./worker-events.ts";

const SHARES = /(^|_)(accuracy|acc|precision|recall|f1|auc)(_|$)/;

/**
 * Whether a metric is a share by its name, to be written in per cent.
 * @example isShareMetric("test/accuracy") // true
 */
export function isShareMetric(name: string): boolean {
  return SHARES.test((name.split("/").at(-1) ?? name).toLowerCase());
}

const RunParams = z.object({ run_id: IdText });

/** One level of the tree of names: `train/` → `train/loss`. */
export const MetricNode = z.object({
  /** Full path; a group's ends with `/`. */
  path: z.string(),
  kind: z.enum(["group", "series"]),
  /** Series below a group; 1 for a series. */
  num_series: z.number().int(),
  num_points: z.number().int().nullable(),
  last_step: z.number().int().nullable(),
  last_value: MetricValue.nullable(),
});
export type MetricNode = z.infer<typeof MetricNode>;
export const MetricTreeQuery = z.object({
  prefix: z.string().max(250).default(""),
  /** Search anywhere in the name; gives a flat list. */ q: z.string().max(250).optional(),
  after: z.string().max(251).optional(),
  limit: limitText(500, 5000),
  /** true: all series below the prefix, flat. */ flat: z.enum(["true", "false"]).default("false"),
});
export const MetricTree = z.object({
  prefix: z.string(),
  nodes: z.array(MetricNode),
  next_after: z.string().nullable(),
  num_series: z.number().int(),
});
export type MetricTree = z.infer<typeof MetricTree>;
export const listMetricNames = defineEndpoint({
  domain: "metrics",
  name: "list-metric-names",
  method: "GET",
  path: "/api/runs/:run_id/metrics/names",
  access: "project-viewer",
  summary: "Metric names of a run, one level of the tree at a time.",
  params: RunParams,
  query: MetricTreeQuery,
  response: MetricTree,
});

/**
 * At most `max_points` buckets. Every point of the window is in exactly one bucket; `min` and `max` are exact over the
 * finite values; `mean` is over the finite values. A bucket with no finite value has null in min, max and mean.
 */
export const BucketColumns = z.object({
  first_step: z.array(z.number().int()),
  last_step: z.array(z.number().int()),
  first_time: z.array(UnixTime),
  last_time: z.array(UnixTime),
  min: z.array(z.number().nullable()),
  max: z.array(z.number().nullable()),
  mean: z.array(z.number().nullable()),
  count: z.array(z.number().int()),
  nan: z.array(z.number().int()),
  pos_inf: z.array(z.number().int()),
  neg_inf: z.array(z.number().int()),
});
export type BucketColumns = z.infer<typeof BucketColumns>;

export const SeriesWindow = z.object({
  run_id: Id,
  name: MetricName,
  /** Points in the window, and how many buckets stand for them. */
  num_points: z.number().int(),
  num_buckets: z.number().int(),
  /** Points of the whole series, superseded ones left out. */
  total_points: z.number().int(),
  superseded_points: z.number().int(),
  buckets: BucketColumns,
  /** Later attempts cut earlier ones here. */
  attempts: z.array(z.object({ attempt: z.number().int(), first_step: z.number().int() })),
  last: z.object({ step: z.number().int(), time: UnixTime, value: MetricValue }).nullable(),
  /** Stream position that this answer includes; live events after it go on. */
  commit_no: z.number().int(),
});
export type SeriesWindow = z.infer<typeof SeriesWindow>;

export const SeriesRequest = z
  .object({
    run_id: Id,
    names: z.array(MetricName).min(1).max(200),
    /** Axis of from, to and of the bucketing. */
    x: z.enum(["step", "time"]).default("step"),
    from: z.number().nullable().default(null),
    to: z.number().nullable().default(null),
    max_points: z.number().int().min(1).max(10_000).default(1000),
    /** true: only the points that later attempts superseded. */
    superseded: z.boolean().default(false),
  })
  .strict();
export const QuerySeries = z.object({ requests: z.array(SeriesRequest).min(1).max(50) }).strict();
export const querySeries = defineEndpoint({
  domain: "metrics",
  name: "query-series",
  method: "POST",
  path: "/api/metrics/query",
  access: "signed-in",
  summary:
    "Windows of many series at once, thinned to exact minimum and maximum. Needs viewer in each run's project.",
  body: QuerySeries,
  response: z.object({ series: z.array(SeriesWindow) }),
});

export const SeriesQuery = z.object({
  name: MetricName,
  x: z.enum(["step", "time"]).default("step"),
  from: z.string().max(40).optional(),
  to: z.string().max(40).optional(),
  max_points: limitText(1000, 10_000),
  superseded: z.enum(["true", "false"]).default("false"),
});
export const getSeries = defineEndpoint({
  domain: "metrics",
  name: "get-series",
  method: "GET",
  path: "/api/runs/:run_id/metrics/series",
  access: "project-viewer",
  summary: "A window of one series.",
  params: RunParams,
  query: SeriesQuery,
  response: SeriesWindow,
});

/** Raw points in the order of arrival, every one of them, superseded ones too. */
export const PointsQuery = z.object({
  name: MetricName,
  /** Skip this many. */ offset: z
    .string()
    .regex(/^[0-9]{1,12}$/)
    .default("0"),
  limit: limitText(10_000, 100_000),
});
export const PointsPage = z.object({
  name: MetricName,
  step: z.array(z.number().int()),
  time: z.array(UnixTime),
  value: z.array(MetricValue),
  attempt: z.array(z.number().int()),
  commit_no: z.array(z.number().int()),
  superseded: z.array(z.boolean()),
  next_offset: z.number().int().nullable(),
  total: z.number().int(),
});
export type PointsPage = z.infer<typeof PointsPage>;
export const listPoints = defineEndpoint({
  domain: "metrics",
  name: "list-points",
  method: "GET",
  path: "/api/runs/:run_id/metrics/points",
  access: "project-viewer",
  summary: "Raw points of one series, by pages.",
  params: RunParams,
  query: PointsQuery,
  response: PointsPage,
});
export const exportSeriesCsv = defineEndpoint({
  domain: "metrics",
  name: "export-series-csv",
  method: "GET",
  path: "/api/runs/:run_id/metrics/points.csv",
  access: "project-viewer",
  summary: "Raw points of one series as CSV.",
  params: RunParams,
  query: z.object({ name: MetricName }),
  stream: "file",
});

/** What one committed batch added; the unit of the live stream. */
export const MetricAppended = z.object({
  type: z.literal("metric-appended"),
  run_id: Id,
  commit_no: z.number().int(),
  attempt: z.number().int(),
  series: z.record(MetricName, PointColumns),
});
export type MetricAppended = z.infer<typeof MetricAppended>;

/** For pages whose SSE and WebSocket are blocked. */
export const pollMetrics = defineEndpoint({
  domain: "metrics",
  name: "poll-metrics",
  method: "GET",
  path: "/api/runs/:run_id/metrics/after",
  access: "project-viewer",
  summary: "Batches committed after a position: the polling fallback of the live stream.",
  params: RunParams,
  query: z.object({
    commit_no: z.string().regex(/^[0-9]{1,15}$/),
    limit: limitText(100, 1000),
    metrics: z.string().max(4000).optional(),
  }),
  response: z.object({
    events: z.array(MetricAppended),
    commit_no: z.number().int(),
    more: z.boolean(),
  }),
});

// ---- the seeds' doors ------------------------------------------------------------------------------------------------

/** Series name inside → flat name at the seeds' doors. */
export const FLAT_NAMES = {
  "train/loss": "train_loss",
  "val/loss": "val_loss",
  "train/accuracy": "train_accuracy",
  "val/accuracy": "val_accuracy",
  "train/learning_rate": "learning_rate",
  "train/epoch": "epoch",
  "system/gpu_memory_used_gib": "gpu_memory_used",
  "system/gpu_memory_total_gib": "gpu_memory_total",
  "train/steps_per_s": "training_speed",
} as const;
/** The same for `advanced_metrics`. */
export const FLAT_ADVANCED_NAMES = {
  "train/gradient_norm": "gradient_norm",
  "train/weight_norm": "weight_norm",
  "train/step_time_s": "batch_time",
} as const;

const Flat = MetricValue.nullable();
export const FlatMetrics = z.object({
  run_id: Id,
  epoch: z.number().int().nullable(),
  batch: z.number().int().nullable(),
  step: z.number().int().nullable(),
  train_loss: Flat,
  val_loss: Flat,
  train_accuracy: Flat,
  val_accuracy: Flat,
  learning_rate: Flat,
  gpu_memory_used: Flat,
  gpu_memory_total: Flat,
  training_speed: Flat,
  /** `HH:MM:SS` */
  eta: z.string().nullable(),
  model_info: z.object({ name: z.string(), parameters: z.number().int() }).nullable(),
  advanced_metrics: z.object({
    gradient_norm: Flat,
    weight_norm: Flat,
    lr_schedule: z.string().nullable(),
    batch_time: Flat,
  }),
});
export type FlatMetrics = z.infer<typeof FlatMetrics>;
export const MetricsUpdate = z.object({
  timestamp: UnixTime,
  event_type: z.enum(["connection", "historical_data", "metrics_update"]),
  data: z.union([
    FlatMetrics,
    z.object({ status: z.literal("connected"), run_id: Id.nullable() }),
    z.array(FlatMetrics),
  ]),
});
export const TrainingMessage = z.object({
  message_type: z.literal("training_event"),
  event: z.enum(["metrics_update", "epoch_completed", "training_started", "training_ended"]),
  data: z.object({
    run_id: Id,
    epoch: z.number().int().nullable(),
    metrics: FlatMetrics,
    model_state: z.string(),
    checkpoint_saved: z.boolean(),
    best_accuracy: Flat,
  }),
});
export type TrainingMessage = z.infer<typeof TrainingMessage>;
/** Seed 4's message on `/ws/training/{job_id}/metrics`; timestamp is ISO 8601, usages are percentages. */
export const JobMetricsMessage = z.object({
  timestamp: z.string(),
  metrics: z.object({ loss: Flat, accuracy: Flat, step: z.number().int().nullable() }),
  resources: z.object({ gpu_usage: z.number().nullable(), memory_usage: z.number().nullable() }),
});
export type JobMetricsMessage = z.infer<typeof JobMetricsMessage>;

const RunQuery = z.object({ run_id: IdText.optional() });
export const listMetricsDoors = defineEndpoint({
  domain: "metrics",
  name: "list-metrics-doors",
  method: "GET",
  path: "/api/metrics",
  access: "signed-in",
  summary: "Where the metrics can be had.",
  response: z.object({
    sse: z.string(),
    websocket: z.string(),
    rest: z.string(),
    endpoints: z.array(z.object({ method: z.string(), path: z.string(), summary: z.string() })),
  }),
});
export const getCurrentMetrics = defineEndpoint({
  domain: "metrics",
  name: "get-current-metrics",
  method: "GET",
  path: "/api/metrics/current",
  access: "signed-in",
  summary: "Newest values of the newest active run, or of `run_id`.",
  query: RunQuery,
  response: z.object({ timestamp: UnixTime, data: FlatMetrics.nullable() }),
});
export const getMetricsHistory = defineEndpoint({
  domain: "metrics",
  name: "get-metrics-history",
  method: "GET",
  path: "/api/metrics/history",
  access: "signed-in",
  summary: "The last updates, oldest first.",
  query: RunQuery.extend({ limit: limitText(100, 1000) }),
  response: z.object({ history: z.array(z.object({ timestamp: UnixTime, data: FlatMetrics })) }),
});
export const streamFlatMetrics = defineEndpoint({
  domain: "metrics",
  name: "stream-metrics",
  method: "GET",
  path: "/api/stream/metrics",
  access: "signed-in",
  summary: "Live updates of a run in the seeds' format (SSE).",
  query: RunQuery.extend({
    history: z
      .string()
      .regex(/^[0-9]{1,4}$/)
      .default("10"),
    after: z.string().max(2000).optional(),
    metrics: z.string().max(4000).optional(),
  }),
  stream: "sse",
});
export const metricsSocket = defineEndpoint({
  domain: "metrics",
  name: "metrics-socket",
  method: "GET",
  path: "/ws/metrics",
  access: "signed-in",
  summary: "Live training events in the seeds' format (WebSocket).",
  query: RunQuery.extend({
    after: z.string().max(2000).optional(),
    metrics: z.string().max(4000).optional(),
  }),
  stream: "websocket",
});
export const jobMetricsSocket = defineEndpoint({
  domain: "metrics",
  name: "job-metrics-socket",
  method: "GET",
  path: "/ws/training/:job_id/metrics",
  access: "project-viewer",
  summary: "Live metrics and resources of one job (WebSocket).",
  params: z.object({ job_id: IdText }),
  stream: "websocket",
});
