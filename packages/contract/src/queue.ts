// Jobs and attempts: what is queued, what runs, and why something waits.
import { z } from "zod";
import { defineEndpoint } from "./endpoint.ts";
import { Id, IdText, UnixTime } from "./scalars.ts";
import { JobNeeds, Priority, RunLimits } from "./scheduling.ts";

/** `external` jobs are followed, not started by us: own scripts and TensorBoard folders. */
export const JobKind = z.enum(["train", "predict", "preflight", "external"]);
export type JobKind = z.infer<typeof JobKind>;

/**
 * queued → starting → running ⇄ paused → finished | failed | stopped; cancelled before it ever started.
 * The last four are final.
 */
export const JobState = z.enum([
  "queued",
  "starting",
  "running",
  "paused",
  "finished",
  "failed",
  "stopped",
  "cancelled",
]);
export type JobState = z.infer<typeof JobState>;
export const FINAL_STATES: readonly JobState[] = ["finished", "failed", "stopped", "cancelled"];
export const ACTIVE_STATES: readonly JobState[] = ["starting", "running", "paused"];

/** How a process ended, from the supervisor's `exit.json`. */
export const AttemptExit = z.object({
  exit_code: z.number().int().nullable(),
  /** `SIGKILL`, when a signal ended it. */
  signal: z.string().nullable(),
  out_of_memory: z.boolean(),
  /** `worker-lost`, `supervisor-lost`, `machine-lost`, `time-limit`, `memory-limit`, `start-failed`; null after an orderly end. */
  reason: z.string().nullable(),
  message: z.string().nullable(),
});
export type AttemptExit = z.infer<typeof AttemptExit>;

export const Attempt = z.object({
  attempt: z.number().int().positive(),
  state: z.enum(["starting", "running", "ended"]),
  started_at: UnixTime,
  ended_at: UnixTime.nullable(),
  last_event_at: UnixTime.nullable(),
  first_step: z.number().int().nullable(),
  exit: AttemptExit.nullable(),
  /** It gave way to an urgent training; what came after it goes on from there. */
  preempted: z.boolean().default(false),
});
export type Attempt = z.infer<typeof Attempt>;

export const Job = z.object({
  id: Id,
  kind: JobKind,
  project_id: Id,
  owner_id: Id.nullable(),
  state: JobState,
  priority: z.number().int(),
  created_at: UnixTime,
  started_at: UnixTime.nullable(),
  ended_at: UnixTime.nullable(),
  attempts: z.array(Attempt),
  /** Why it waits or why it failed, in one sentence. */
  reason: z.string().nullable(),
  limits: RunLimits,
});
export type Job = z.infer<typeof Job>;

/** Why a job waits, for programs and other languages; `reason` says the same in one English sentence. */
export const WaitsFor = z.object({
  /**
   * - `resource`: `needed` of `resource` are not free; `holders` have them, until about `until`.
   * - `behind`: others in front of it (`holders`) take the `needed` of `resource` first; its turn comes about `until`.
   * - `turn`: it would fit, but the first in line (`holders`) needs the room.
   * - `never`: this machine has only `there` of `resource`.
   * - `quota`: its owner's `there` running trainings are as many as one person may have.
   * - `retry`: its last attempt was lost; it is tried again at `until`.
   * - `line`: an earlier one of its kind (predictions, pre-flights).
   * - `other`: read `reason`.
   */
  kind: z.enum(["resource", "behind", "turn", "never", "quota", "retry", "line", "other"]),
  resource: z.enum(["gpus", "gpu_memory", "cpu_cores", "memory", "disk"]).nullable(),
  needed: z.number().nullable(),
  there: z.number().nullable(),
  /** Those that the caller may see. */
  holders: z.array(Id),
  /** How many more there are, in projects that the caller is not in. */
  hidden_holders: z.number().int().default(0),
  until: UnixTime.nullable(),
  /** The run whose end nobody knows, so that nobody knows when this one starts; null where the caller may not see it. */
  unknown: Id.nullable().default(null),
});
export type WaitsFor = z.infer<typeof WaitsFor>;

/** Of a training that gives way to an urgent one while it runs, or gave way and goes on by itself when there is room. */
export const Preempted = z.object({
  /** The urgent one; null where the caller may not see it. */
  by: Id.nullable(),
  /** Of the checkpoint that it goes on from; null while it is being written, and where the newest one is looked for. */
  step: z.number().int().nullable(),
});
export type Preempted = z.infer<typeof Preempted>;

export const QueueEntry = z.object({
  job_id: Id,
  kind: JobKind,
  name: z.string(),
  project_id: Id,
  owner_id: Id.nullable(),
  owner_name: z.string().nullable(),
  state: JobState,
  /** From 1, counting everybody's; null for what runs. */
  position: z.number().int().nullable(),
  priority: Priority,
  /** What it holds or would hold; null for predictions and pre-flights, which run beside trainings. */
  needs: JobNeeds.nullable(),
  /** Indexes of the GPUs that it holds. */
  gpus: z.array(z.number().int()),
  limits: RunLimits,
  attempt: z.number().int(),
  reason: z.string().nullable(),
  waits_for: WaitsFor.nullable(),
  preempted: Preempted.nullable().default(null),
  created_at: UnixTime,
  queued_at: UnixTime,
  /** When its running attempt began. */
  started_at: UnixTime.nullable(),
  /** About when it starts, if nothing is added; null where nobody knows. */
  starts_at: UnixTime.nullable(),
  /** About when it ends; null where nobody knows. */
  ends_at: UnixTime.nullable(),
  /** What the caller may do with it. */
  may: z.object({
    reorder: z.boolean(),
    /** The highest class that the caller may give it; null: none. */
    highest_priority: Priority.nullable(),
    /** Take it out of the queue. */
    cancel: z.boolean().default(false),
  }),
});
export type QueueEntry = z.infer<typeof QueueEntry>;

export const MachineFacts = z.object({
  gpus: z.array(z.object({ index: z.number().int(), name: z.string(), memory_gib: z.number() })),
  cpu_cores: z.number().int(),
  memory_gib: z.number(),
  disk_free_gib: z.number(),
});
export type MachineFacts = z.infer<typeof MachineFacts>;

export const QueueView = z.object({
  time: UnixTime,
  /** Null for the moment in which the server still looks for GPUs. */
  machine: MachineFacts.nullable(),
  running: z.array(QueueEntry),
  /** 2026-11-22: trainings that have ended and whose processes have not: they hold their part of the machine until then. */
  ending: z.array(QueueEntry).default([]),
  /** Trainings in the order in which they get their chance; then predictions, then pre-flights, each in a line of its own. */
  waiting: z.array(QueueEntry),
  /** 2026-11-22: whether an administrator has put some of what waits before all others of its class. */
  has_pinned: z.boolean().default(false),
  /** Whether the caller may put trainings of several people into order. */
  may_reorder_all: z.boolean(),
});
export type QueueView = z.infer<typeof QueueView>;

export const ReorderRequest = z
  .object({
    /**
     * Waiting trainings in the order wished. Of one person: they share out the places that they have among themselves. Of
     * several (server administrators only): they go before all others of their class.
     */
    job_ids: z.array(Id).min(1).max(1000),
  })
  .strict();
export const PriorityRequest = z.object({ priority: Priority }).strict();

export const CancelQueuedRequest = z
  .object({
    /** Waiting jobs; what runs already is left alone. */
    job_ids: z.array(Id).min(1).max(1000),
  })
  .strict();
/** What became of one of them. */
export const CancelResult = z.object({
  job_id: Id,
  cancelled: z.boolean(),
  /** Where it was not: why, by the table of errors, and in one sentence. */
  code: z.string().nullable(),
  message: z.string().nullable(),
});
export type CancelResult = z.infer<typeof CancelResult>;
export const CancelQueuedAnswer = z.object({
  /** In the order in which they were named. */
  results: z.array(CancelResult),
  queue: QueueView,
});
export type CancelQueuedAnswer = z.infer<typeof CancelQueuedAnswer>;

export const getQueue = defineEndpoint({
  domain: "queue",
  name: "get-queue",
  method: "GET",
  path: "/api/train/queue",
  access: "signed-in",
  summary: "What runs and what waits, in order, of the projects that you are in.",
  response: QueueView,
});
export const getJob = defineEndpoint({
  domain: "queue",
  name: "get-job",
  method: "GET",
  path: "/api/jobs/:job_id",
  access: "project-viewer",
  summary: "One job with its attempts.",
  params: z.object({ job_id: IdText }),
  response: Job,
});
export const reorderQueue = defineEndpoint({
  domain: "queue",
  name: "reorder-queue",
  method: "POST",
  path: "/api/train/queue/reorder",
  access: "signed-in",
  summary:
    "Put waiting trainings into another order: one's own as member, those of a project's person as its admin, anybody's as server administrator.",
  body: ReorderRequest,
  response: QueueView,
});
export const cancelQueued = defineEndpoint({
  domain: "queue",
  name: "cancel-queued",
  method: "POST",
  path: "/api/train/queue/cancel",
  access: "signed-in",
  summary:
    "Take waiting jobs out of the queue, each by itself: as member of its project. What has started meanwhile is told and left alone.",
  body: CancelQueuedRequest,
  response: CancelQueuedAnswer,
});
export const setJobPriority = defineEndpoint({
  domain: "queue",
  name: "set-job-priority",
  method: "POST",
  path: "/api/train/jobs/:job_id/priority",
  access: "project-member",
  summary:
    "Change how urgent a training is: one's own up to normal as member, any and any class as the project's admin.",
  params: z.object({ job_id: IdText }),
  body: PriorityRequest,
  response: Job,
});
