// The rows of the runs room's tables as Kysely sees them, and what their JSON columns hold.
import type {
  JobState,
  JsonObject,
  LogLine,
  RecipeName,
  Run,
  RunFile,
  RunSource,
} from "@spotter/contract";
import type { ColumnType, Generated, Selectable } from "kysely";
import type { z } from "zod";

export type RunsTable = {
  id: number;
  project_id: number;
  owner_id: number | null;
  owner_name: string | null;
  name: string;
  /** Lower case, to sort by. */
  name_key: string;
  source: z.infer<typeof RunSource>;
  recipe: RecipeName | null;
  /** Mirrors of the job's row, with reason, started_at and ended_at. */
  state: JobState;
  reason: string | null;
  note: string;
  /** JSON list. */
  tags: string;
  /** Name, note and tags in lower case, to search in. */
  search_text: string;
  config: string;
  client_id: string | null;
  parent_id: number | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  /** What ended attempts and stretches between pauses have trained, and since when it trains now; null: not now. */
  trained_s: Generated<number>;
  training_since: Generated<number | null>;
  last_event_at: number | null;
  archived_at: number | null;
  deleted_at: number | null;
  progress: string | null;
  best: string | null;
  /** JSON: the training's means of the last evaluation in force. */
  epoch_means: Generated<string | null>;
  /** JSON of RunFacts. */
  facts: string | null;
  error: string | null;
  /** The model that its weights become a version of; null for runs of before there were models. */
  model_name: string | null;
  /** A short name of its data. */
  data_name: string | null;
  /** Of the newest point; scripts tell no other progress. Never written by whoever makes a run. */
  last_step: ColumnType<number | null, undefined, number | null>;
  num_log_lines: Generated<number>;
};

export type RunMetricsTable = {
  run_id: number;
  name: string;
  /** Null stands for NaN. */
  last_value: number | null;
  last_step: number | null;
  last_time: number | null;
};

export type RunFilesTable = {
  id: Generated<number>;
  run_id: number;
  kind: RunFile["kind"];
  path: string;
  size: number;
  sha256: string;
  attempt: number;
  step: number | null;
  epoch: number | null;
  metrics: string;
  label: string | null;
  created_at: number;
  removed_at: number | null;
};

export type RunLogsTable = {
  run_id: number;
  line_no: number;
  attempt: number;
  time: number;
  stream: LogLine["stream"];
  level: LogLine["level"];
  text: string;
  step: number | null;
};

/** Where a run began that began in another one's checkpoint. */
export type RunForksTable = {
  run_id: number;
  /** May be purged by now. */
  parent_id: number;
  step: number;
  /** Of the checkpoint's manifest: the name of its folder among the kept ones. */
  checkpoint_sha256: string;
  /** JSON of ForkKept. */
  keep: string;
  /** JSON of ForkChange[]. */
  changes: string;
};

export type RunsTables = {
  runs: RunsTable;
  run_metrics: RunMetricsTable;
  run_files: RunFilesTable;
  run_logs: RunLogsTable;
  run_forks: RunForksTable;
};
export type RunRow = Selectable<RunsTable>;
export type RunForkRow = Selectable<RunForksTable>;
export type RunFileRow = Selectable<RunFilesTable>;

/** What the worker told when it started, beyond what was asked of it. */
export type RunFacts = Pick<
  Run,
  "derived" | "model" | "data" | "device" | "hostname" | "versions"
> & {
  readonly config: z.infer<typeof JsonObject> | null;
};
