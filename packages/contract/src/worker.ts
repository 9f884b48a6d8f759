// The worker protocol, version 1: the spec in (`job-spec.ts`), events out (`worker-events.ts`), commands in.
import { z } from "zod";
import { defineEndpoint } from "./endpoint.ts";
import { JobSpec } from "./job-spec.ts";
import { Id, IdText, Sha256, UnixTime } from "./scalars.ts";
import { EventBatch, EventReceipt, LiveValues, MAX_BATCH_BYTES } from "./worker-events.ts";

const JobParams = z.object({ job_id: IdText });

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

/**
 * `preempt` and `stay` are the queue's own: save, end, and go on later; and, since 2026-11-22, what takes back every
 * earlier `preempt` that the worker has not begun to obey (it answers that one `refused`, and trains on).
 */
export const CommandAction = z.enum([
  "pause",
  "resume",
  "stop",
  "checkpoint",
  "set",
  "revert",
  "preempt",
  "stay",
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
