// The one table of error codes: status and sentence. docs/reference/errors.md is generated from it. The rows of the rooms
// above the runs are beside this file.
import { z } from "zod";
import { higherRooms } from "./errors-of-higher-rooms.ts";

interface ErrorRow {
  status: number;
  /** The domain that raises it. */
  domain: string;
  /** English sentence for the reference; a thrown error may say more precisely what was wrong and what would be right. */
  sentence: string;
}

const rows = {
  "invalid-request": {
    status: 400,
    domain: "platform",
    sentence:
      "A field of the request is missing or has a wrong value; `details.issues` names each.",
  },
  "malformed-json": { status: 400, domain: "platform", sentence: "The body is not valid JSON." },
  "unsupported-media-type": {
    status: 415,
    domain: "platform",
    sentence: "The body's content type is not one that this endpoint reads.",
  },
  "body-too-large": {
    status: 413,
    domain: "platform",
    sentence: "The body is larger than this endpoint accepts.",
  },
  "request-too-slow": {
    status: 408,
    domain: "platform",
    sentence:
      "The request's headers or body stopped coming; the connection was closed. Send it again.",
  },
  "route-not-found": { status: 404, domain: "platform", sentence: "There is no such endpoint." },
  "host-not-allowed": {
    status: 403,
    domain: "platform",
    sentence:
      "The Host header names an address that this server does not serve; see SPOTTER_ALLOWED_HOSTS.",
  },
  "origin-not-allowed": {
    status: 403,
    domain: "platform",
    sentence: "The page that sent this request is of another origin; see SPOTTER_ALLOWED_ORIGINS.",
  },
  "too-many-requests": {
    status: 429,
    domain: "platform",
    sentence: "Too many requests; wait as long as Retry-After says.",
  },
  "shutting-down": {
    status: 503,
    domain: "platform",
    sentence: "The server is shutting down; try again in a few seconds.",
  },
  "database-busy": {
    status: 503,
    domain: "platform",
    sentence: "The database did not take the write in time; nothing was stored; try again.",
  },
  "disk-full": {
    status: 507,
    domain: "platform",
    sentence: "The disk is full; nothing was stored.",
  },
  "internal-error": {
    status: 500,
    domain: "platform",
    sentence:
      "Something went wrong inside the server; the log has the details under `details.request_id`.",
  },

  "not-signed-in": {
    status: 401,
    domain: "auth",
    sentence: "Sign in, or send an API token as `Authorization: Bearer …`.",
  },
  "wrong-credentials": {
    status: 401,
    domain: "auth",
    sentence: "The name or the password is wrong.",
  },
  "token-invalid": {
    status: 401,
    domain: "auth",
    sentence: "The token is unknown, revoked or expired.",
  },
  "role-too-low": { status: 403, domain: "auth", sentence: "Your role does not allow this." },
  "registration-closed": {
    status: 403,
    domain: "auth",
    sentence: "Registration is closed on this server; ask its administrator for an invitation.",
  },
  "setup-done": {
    status: 409,
    domain: "auth",
    sentence: "The administrator exists already; this link is used up.",
  },
  "invitation-invalid": {
    status: 403,
    domain: "auth",
    sentence: "The invitation is unknown, used or expired.",
  },
  "name-taken": {
    status: 409,
    domain: "auth",
    sentence: "An account with this name exists already.",
  },
  "password-weak": {
    status: 400,
    domain: "auth",
    sentence: "The password needs at least 10 characters and must not be the name.",
  },
  "user-not-found": { status: 404, domain: "auth", sentence: "There is no such account." },
  "token-not-found": {
    status: 404,
    domain: "auth",
    sentence: "There is no such API token of yours.",
  },
  "invitation-not-found": { status: 404, domain: "auth", sentence: "There is no such invitation." },
  "last-admin": {
    status: 409,
    domain: "auth",
    sentence: "This would leave the server without an administrator.",
  },
  "account-disabled": { status: 403, domain: "auth", sentence: "This account is disabled." },

  "project-not-found": { status: 404, domain: "projects", sentence: "There is no such project." },
  "project-name-taken": {
    status: 409,
    domain: "projects",
    sentence: "A project with this name exists already.",
  },
  "member-not-found": {
    status: 404,
    domain: "projects",
    sentence: "This person is not in the project.",
  },

  "job-not-found": { status: 404, domain: "queue", sentence: "There is no such job." },
  "attempt-superseded": {
    status: 409,
    domain: "queue",
    sentence: "A newer attempt has taken over; this one must exit.",
  },
  "attempt-ended": {
    status: 409,
    domain: "queue",
    sentence: "This attempt has ended; it takes no more events.",
  },
  "sequence-gap": {
    status: 409,
    domain: "queue",
    sentence: "A batch is missing before this one; send from `details.expected_seq` on.",
  },
  "protocol-unsupported": {
    status: 400,
    domain: "queue",
    sentence: "This worker protocol version is not one that the server speaks.",
  },
  "worker-token-invalid": {
    status: 401,
    domain: "queue",
    sentence: "The attempt's token is wrong.",
  },
  "job-ended": {
    status: 409,
    domain: "queue",
    sentence: "The job has ended; it has no place in the queue any more.",
  },
  "job-not-waiting": {
    status: 409,
    domain: "queue",
    sentence: "The job does not wait any more, so it cannot be taken out of the queue.",
  },
  "queue-order-invalid": {
    status: 409,
    domain: "queue",
    sentence: "The queue cannot be put into this order; the message says what stands against it.",
  },
  "priority-not-allowed": {
    status: 403,
    domain: "queue",
    sentence:
      "Only an administrator of the project may make a training high or urgent, or change other people's.",
  },
  "resources-not-there": {
    status: 400,
    domain: "queue",
    sentence: "The training asks for more than this machine has; it could never start.",
  },
  "executor-unavailable": {
    status: 503,
    domain: "queue",
    sentence:
      "No Python environment is set up for training; run `npm start` once more and read its output.",
  },

  "dataset-not-found": { status: 404, domain: "datasets", sentence: "There is no such dataset." },
  "dataset-version-not-found": {
    status: 404,
    domain: "datasets",
    sentence: "There is no such dataset version.",
  },
  "archive-unreadable": {
    status: 400,
    domain: "datasets",
    sentence: "The file is not a zip archive that can be read.",
  },
  "archive-unsafe": {
    status: 400,
    domain: "datasets",
    sentence:
      "The archive holds an entry that points outside itself, is a link, or unpacks to far more than it weighs.",
  },
  "archive-empty": {
    status: 400,
    domain: "datasets",
    sentence:
      "The archive must hold one folder a class with images or recordings in each, or files of texts (.txt, .md, .jsonl, .ndjson, .csv, .tsv).",
  },
  "text-invalid": {
    status: 400,
    domain: "datasets",
    sentence: "A file of texts has a row that cannot be read; nothing was kept.",
  },
  "project-data-full": {
    status: 507,
    domain: "datasets",
    sentence:
      "The project's datasets would hold more than SPOTTER_MAX_PROJECT_DATA_MB allows; `details` has both numbers. Nothing was kept.",
  },
  "upload-incomplete": {
    status: 400,
    domain: "datasets",
    sentence: "The upload ended early; nothing was kept.",
  },
  "path-not-allowed": {
    status: 403,
    domain: "datasets",
    sentence: "The path is outside the folders that SPOTTER_DATA_ROOTS allows.",
  },
  "path-not-found": {
    status: 404,
    domain: "datasets",
    sentence: "There is nothing at this path on the server.",
  },

  "command-runs-closed": {
    status: 403,
    domain: "runs",
    sentence:
      "This server does not let you start programs of your own; its administrator decides that with SPOTTER_COMMAND_RUNS.",
  },
  "run-not-found": { status: 404, domain: "runs", sentence: "There is no such run." },
  "run-state-conflict": {
    status: 409,
    domain: "runs",
    sentence: "The run's state does not allow this.",
  },
  "value-not-changeable": {
    status: 422,
    domain: "runs",
    sentence:
      "The run has no such value to change while it trains; `details.names` lists those that it has.",
  },
  "change-not-revertible": {
    status: 409,
    domain: "runs",
    sentence: "There is no such change in force, or its checkpoint is gone.",
  },
  "recipe-not-found": { status: 404, domain: "runs", sentence: "There is no such recipe." },
  "config-invalid": {
    status: 400,
    domain: "runs",
    sentence: "The configuration has a wrong or unknown field; `details.issues` names each.",
  },
  "file-not-found": { status: 404, domain: "runs", sentence: "There is no such file of this run." },
  "no-active-run": {
    status: 404,
    domain: "runs",
    sentence: "No run is active; name one by `run_id`.",
  },
  "no-checkpoint": {
    status: 409,
    domain: "runs",
    sentence: "The run has no complete checkpoint to go on from.",
  },
  "fork-not-possible": {
    status: 409,
    domain: "runs",
    sentence:
      "Only runs that a recipe of this server trains can be forked; programs and scripts of one's own keep their state themselves.",
  },
  "checkpoint-not-found": {
    status: 404,
    domain: "runs",
    sentence: "The run has no checkpoint of this step; `details.steps` lists those that it has.",
  },
  "checkpoint-damaged": {
    status: 409,
    domain: "runs",
    sentence: "The checkpoint's files are not whole; fork from another one.",
  },
  "fork-change-not-allowed": {
    status: 400,
    domain: "runs",
    sentence:
      "A fork keeps the weights, so what shapes the model or its vocabulary cannot change; `details.issues` names each field.",
  },
  "fork-cannot-keep": {
    status: 409,
    domain: "runs",
    sentence: "Something that is asked to be kept cannot be kept with these changes.",
  },
  "fork-without-steps": {
    status: 409,
    domain: "runs",
    sentence: "The fork would begin where its config ends; give it more epochs or steps.",
  },
  "no-weights": { status: 409, domain: "runs", sentence: "The run has not saved weights yet." },
  "prediction-failed": {
    status: 422,
    domain: "runs",
    sentence: "The saved model could not read this input.",
  },
  "preflight-failed": {
    status: 422,
    domain: "runs",
    sentence: "The pre-flight could not be carried out for this configuration.",
  },
  "preflight-not-found": {
    status: 404,
    domain: "runs",
    sentence: "There is no such pre-flight.",
  },

  ...higherRooms,
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof rows;
export const errorTable: Readonly<Record<ErrorCode, ErrorRow>> = rows;

/** Which field was wrong, what it was, what would be right. */
export const ErrorIssue = z.object({ path: z.string(), message: z.string() });
export type ErrorIssue = z.infer<typeof ErrorIssue>;

/** The one shape in which every failure travels. */
export const ErrorEnvelope = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z.record(z.string(), z.json()).optional(),
  }),
});
export type ErrorEnvelope = z.infer<typeof ErrorEnvelope>;
