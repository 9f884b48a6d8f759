// Training runs as addresses: list, open, change, feed, control and ask them.
import { z } from "zod";
import { defineEndpoint } from "./endpoint.ts";
import {
  ControlAnswer,
  ControlRequest,
  CreateRun,
  ListRunsQuery,
  LogPage,
  LogQuery,
  PredictAnswer,
  PredictRequest,
  Run,
  RunCommand,
  RunFile,
  RunPage,
  RunParams,
  UpdateRun,
} from "./runs.ts";
import { Done, IdText, limitText, Sha256 } from "./scalars.ts";
import { EventBatch, EventReceipt, MAX_BATCH_BYTES } from "./worker-events.ts";

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

/** A file of an own script, before or after the `file-saved` event that names it; the same path again replaces it. */
export const uploadRunFile = defineEndpoint({
  domain: "runs",
  name: "upload-run-file",
  method: "PUT",
  path: "/api/runs/:run_id/uploads",
  access: "project-member",
  summary: "Put a file of an own script into its run's folder; the body is the bytes themselves.",
  params: RunParams,
  query: z.object({
    path: z
      .string()
      .max(250)
      .regex(/^artifacts(\/(?!\.)[^/\\\p{Cc}]+)+$/u, "must be artifacts/<name>, no part hidden"),
  }),
  response: z.object({ sha256: Sha256, size: z.number().int() }),
  stream: "upload",
});

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

export const controlTraining = defineEndpoint({
  domain: "runs",
  name: "control-training",
  method: "POST",
  path: "/api/training/control",
  access: "project-member",
  summary:
    "Pause, resume, stop, cancel or checkpoint a run; set values of a running one, or revert that.",
  body: ControlRequest,
  response: ControlAnswer,
  status: 202,
});

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
