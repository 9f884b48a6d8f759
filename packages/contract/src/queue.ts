// Jobs and attempts: what is queued, what runs, and why something waits.
import { z } from "zod";
import { defineEndpoint } from "./endpoint.ts";
import { Id, IdText, UnixTime } from "./scalars.ts";

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
  /** `worker-lost`, `supervisor-lost`, `time-limit`, `start-failed`; null after an orderly end. */
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
});
export type Job = z.infer<typeof Job>;

export const QueueEntry = z.object({
  job_id: Id,
  kind: JobKind,
  name: z.string(),
  project_id: Id,
  owner_id: Id.nullable(),
  state: JobState,
  position: z.number().int().nullable(),
  reason: z.string().nullable(),
  created_at: UnixTime,
});
export type QueueEntry = z.infer<typeof QueueEntry>;
export const QueueView = z.object({ running: z.array(QueueEntry), waiting: z.array(QueueEntry) });
export type QueueView = z.infer<typeof QueueView>;

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
