// The rows of the queue's tables as Kysely sees them.
import type {
  AttemptExit,
  CommandAction,
  FileKind,
  ForkSpec,
  JobKind,
  JobNeeds,
  JobState,
  JsonObject,
  LiveValues,
  PredictInput,
} from "@spotter/contract";
import type { Generated, Selectable } from "kysely";
import type { z } from "zod";

export type JobsTable = {
  id: Generated<number>;
  kind: JobKind;
  project_id: number;
  owner_id: number | null;
  name: string;
  state: JobState;
  priority: Generated<number>;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  /** Why it waits or why it failed, in one sentence. */
  reason: string | null;
  current_attempt: Generated<number>;
  /** JSON of JobWork; null for external jobs. */
  work: string | null;
  /** Where the next attempt goes on from, relative to the run folder. */
  resume_from: string | null;
  /** JSON of a `job-result`. */
  result: string | null;
  stop_requested_at: number | null;
  /** From then on the process is ended by signals. */
  kill_at: number | null;
  owner_name: Generated<string | null>;
  /** JSON of ResourceWish and of RunLimits; null: nothing was asked for. */
  wish: Generated<string | null>;
  limits: Generated<string | null>;
  /** JSON of Granted: what its current attempt holds; null for attempts of before 2026-11-21. */
  granted: Generated<string | null>;
  /** Among the waiting jobs of its owner; null: by its number. */
  place: Generated<number | null>;
  /** Where an administrator put it; null: nowhere. */
  pinned: Generated<number | null>;
  /** Since when it waits; null: since it was made. */
  queued_at: Generated<number | null>;
  /** A lost attempt is made good from then on, from the newest checkpoint. */
  not_before: Generated<number | null>;
  /** Attempts that do not count any more: somebody has resumed the job since. */
  attempts_before: Generated<number>;
  /** Set from a `revert`'s answer to the start of the next attempt: the checkpoint that this one goes on from. */
  restart_from: Generated<string | null>;
  /** JSON list: commands of changes that the next attempts are not to make again. */
  reverted_changes: Generated<string | null>;
  /** The urgent job that it gives way to while it runs, or gave way to while it waits. */
  preempted_by: Generated<number | null>;
  num_preemptions: Generated<number>;
};

export type AttemptsTable = {
  job_id: number;
  attempt: number;
  state: "starting" | "running" | "ended";
  token_hash: string | null;
  worker_seq: Generated<number>;
  supervisor_seq: Generated<number>;
  started_at: number;
  ended_at: number | null;
  last_event_at: number | null;
  first_step: number | null;
  /** Of attempts of before 2026-11-21, whose `executor_ref` holds the same. */
  pid: Generated<number | null>;
  pid_start_time: Generated<string | null>;
  heartbeat_at: number | null;
  /** 1 once the worker told how the run ended. */
  run_ended: Generated<number>;
  /** JSON of AttemptExit. */
  exit: string | null;
  /** From then on nothing is taken from this attempt any more. */
  closed_at: number | null;
  /** The last that it told of its progress, and about when it ends by that. */
  last_step: Generated<number | null>;
  expected_end: Generated<number | null>;
  /** 1 once it was asked to give way: its end is no loss. */
  preempted: Generated<number>;
  /** 1 where its worker could not: it is not asked again. */
  yield_refused: Generated<number>;
  /** What its executor calls it; null until it was started. */
  executor_ref: Generated<string | null>;
};

/** What a worker on another machine has saved and the server does not have yet. */
export type JobFetchesTable = {
  job_id: number;
  /** As the worker told it, relative to the run folder. */
  path: string;
  kind: z.infer<typeof FileKind>;
  /** As the worker told it: of the file, or of a checkpoint's manifest; null: not told. */
  sha256: string | null;
  /** By whom and in which batch it was told last: a later word for the same path is another content. */
  attempt: number;
  seq: number;
  told_at: number;
};

export type JobCommandsTable = {
  id: Generated<number>;
  job_id: number;
  attempt: number;
  action: CommandAction;
  state: "sent" | "done" | "refused" | "expired";
  created_at: number;
  created_by: number | null;
  created_by_name: string | null;
  acked_at: number | null;
  message: string | null;
  step: number | null;
  /** JSON of CommandWish. */
  wish: string | null;
  /** JSON of the contract's ChangeResult. */
  change: string | null;
  /** Of a `revert`: the checkpoint, and as a JSON list all changes that are reverted from then on. */
  restart_from: string | null;
  reverted: string | null;
};

export type JobFilesTable = {
  job_id: number;
  sha256: string;
  size: number;
  created_at: number;
};

/** The last number of each series of jobs that was given out. */
export type JobNumbersTable = { series: "run" | "light"; last: number };

export type QueueTables = {
  job_numbers: JobNumbersTable;
  job_files: JobFilesTable;
  jobs: JobsTable;
  attempts: AttemptsTable;
  job_fetches: JobFetchesTable;
  job_commands: JobCommandsTable;
};
export type JobRow = Selectable<JobsTable>;
export type JobFetchRow = Selectable<JobFetchesTable>;
export type AttemptRow = Selectable<AttemptsTable>;
export type JobCommandRow = Selectable<JobCommandsTable>;

/** What a job's worker is to do; the attempt's number, resume point and threads are added when it starts. */
export interface JobWork {
  readonly recipe: string;
  readonly config: z.infer<typeof JsonObject>;
  /** Where the config's sources lie on the server's disk, by field. */
  readonly places: Record<string, string>;
  readonly predict: { readonly weights: string; readonly inputs: PredictInput[] } | null;
  /** Absent in jobs of before 2026-11. */
  readonly preflight?: { readonly budget_s: number; readonly trials?: boolean } | null;
  /** Of a run that begins in another one's checkpoint. */
  readonly fork?: ForkSpec | null;
}

/** What an attempt was given. */
export interface Granted {
  readonly needs: JobNeeds;
  readonly gpus: readonly number[];
  /** Whether the machine has GPUs that we know of: else a worker takes what it finds. */
  readonly hasGpus: boolean;
}

/** What a `set` or `revert` says beyond its name. */
export interface CommandWish {
  readonly values?: LiveValues;
  readonly reason?: string | null;
  readonly change_id?: number;
}

/** Where a `revert` goes back to, and what the attempts from then on leave out. */
export interface Restart {
  readonly checkpoint: string;
  readonly reverted: readonly number[];
}

export type Exit = AttemptExit;
