// HTTP of runs: the list, one run, its files, logs and commands, and the door for own scripts.
import { Readable } from "node:stream";
import {
  cancelPreflight,
  controlTraining,
  createForks,
  createRun,
  deleteRun,
  downloadRunFile,
  getLineage,
  getPreflight,
  getRun,
  getRunValues,
  listRecipes,
  listRunCommands,
  listRunFiles,
  listRunLogs,
  listRunMetricNames,
  listRuns,
  MAX_BATCH_BYTES,
  predictWithRun,
  previewForks,
  restoreRun,
  resumeRun,
  sendRunEvents,
  startPreflight,
  updateRun,
  uploadRunFile,
} from "@spotter/contract";
import type { FastifyInstance } from "fastify";
import { SpotterError } from "../../platform/errors.ts";
import type { AccessControl, Caller, Router } from "../../platform/route.ts";
import type { QueueService } from "../queue/index.ts";
import type { RunControl } from "./control.ts";
import { fileNotFound, runNotFound, stateConflict } from "./errors.ts";
import type { Forks } from "./forks.ts";
import type { LiveChanges } from "./live-changes.ts";
import type { Predictions } from "./predictions.ts";
import type { Preflights } from "./preflights.ts";
import { openRunFile } from "./run-files.ts";
import type { RunService } from "./service.ts";
import type { RunsStore } from "./store.ts";
import type { RunRow } from "./tables.ts";

export interface RunRouteParts {
  readonly app: FastifyInstance;
  readonly router: Router;
  readonly access: AccessControl;
  readonly runs: RunService;
  readonly control: RunControl;
  readonly forks: Forks;
  readonly liveChanges: LiveChanges;
  readonly predictions: Predictions;
  readonly preflights: Preflights;
  readonly store: RunsStore;
  readonly queue: QueueService;
  readonly defaultProject: () => Promise<number>;
}

interface ControlInput {
  readonly body: { readonly run_id?: number | undefined };
  readonly caller: Caller;
}

type RunInPath = { readonly params: { readonly run_id: string } };

export function registerRunRoutes(parts: RunRouteParts): void {
  bindRuns(parts);
  bindOneRun(parts);
  bindContents(parts);
  bindActions(parts);
  bindForks(parts);
  bindPreflights(parts);
  bindScriptFiles(parts);
  bindScriptEvents(parts);
}

function bindRuns({ router, runs, defaultProject }: RunRouteParts): void {
  router.signedIn(listRecipes, ({ caller }) => ({ recipes: runs.recipes(caller) }));
  router.signedIn(listRuns, ({ query, caller }) => runs.list(query, caller));
  router.signedIn(listRunMetricNames, async ({ query, caller }) => ({
    names: await runs.metricNames(caller, query.q, Number(query.limit)),
  }));
  router.inProject(
    createRun,
    async ({ body }) => body.project_id ?? (await defaultProject()),
    async ({ body, caller, request }) => {
      const projectId = body.project_id ?? (await defaultProject());
      const row = await runs.create({ ...body, project_id: projectId }, caller, request.ip);
      return runs.run(row, caller);
    },
  );
}

function bindOneRun({ router, runs }: RunRouteParts): void {
  const projectOf = async (input: RunInPath) => (await rowOf(input)).project_id;
  const rowOf = ({ params }: RunInPath): Promise<RunRow> => runs.require(Number(params.run_id));

  router.inProject(getRun, projectOf, async (input) => runs.run(await rowOf(input), input.caller));
  router.inProject(updateRun, projectOf, async (input) => {
    const { body, caller, request } = input;
    return runs.run(await runs.update(await rowOf(input), body, caller, request.ip), caller);
  });
  router.inProject(deleteRun, projectOf, async (input) => {
    await runs.delete(await rowOf(input), input.caller, input.request.ip);
    return { done: true as const };
  });
  router.inProject(restoreRun, projectOf, async (input) => {
    const { caller, request } = input;
    return runs.run(await runs.restore(await rowOf(input), caller, request.ip), caller);
  });
  router.inProject(resumeRun, projectOf, async (input) => {
    const { caller, request } = input;
    return runs.run(await runs.resume(await rowOf(input), caller, request.ip), caller);
  });
}

function bindContents({ router, runs, store, queue, liveChanges }: RunRouteParts): void {
  const rowOf = ({ params }: RunInPath): Promise<RunRow> => runs.require(Number(params.run_id));
  const projectOf = async (input: RunInPath) => (await rowOf(input)).project_id;

  router.inProject(listRunLogs, projectOf, async (input) =>
    runs.logs(await rowOf(input), input.query),
  );
  router.inProject(listRunFiles, projectOf, ({ params }) => runs.files(Number(params.run_id)));
  router.inProject(listRunCommands, projectOf, async ({ params }) => ({
    commands: await queue.commands(Number(params.run_id)),
  }));
  router.inProject(getRunValues, projectOf, async (input) =>
    liveChanges.describe(await rowOf(input)),
  );
  router.inProject(downloadRunFile, projectOf, async ({ params, reply }) => {
    const runId = Number(params.run_id);
    const row = await store.file(runId, Number(params.file_id));
    if (row === undefined || row.removed_at !== null) throw fileNotFound();
    await queue.filesAt(runId, row.path);
    const file = await openRunFile(queue.runDir(runId), row);
    return reply
      .header("content-type", "application/octet-stream")
      .header("content-length", file.size)
      .header(
        "content-disposition",
        `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`,
      )
      .send(file.stream);
  });
}

function bindActions({ router, runs, control, predictions }: RunRouteParts): void {
  // Found once a request: the newest active run may be another one between the look at the rights and the action.
  const targets = new WeakMap<object, Promise<RunRow>>();
  const targetOf = ({ body, caller }: ControlInput) => {
    const target = targets.get(body) ?? control.target(body.run_id, caller);
    targets.set(body, target);
    return target;
  };
  router.inProject(
    controlTraining,
    async (input) => (await targetOf(input)).project_id,
    async (input) =>
      control.control(await targetOf(input), input.body, input.caller, input.request.ip),
  );
  router.inProject(
    predictWithRun,
    async ({ params }) => (await runs.require(Number(params.run_id))).project_id,
    async ({ params, body, caller }) =>
      predictions.predict(await runs.require(Number(params.run_id)), body, caller),
  );
}

function bindForks({ router, runs, forks }: RunRouteParts): void {
  const rowOf = ({ params }: RunInPath): Promise<RunRow> => runs.require(Number(params.run_id));
  const projectOf = async (input: RunInPath) => (await rowOf(input)).project_id;
  router.inProject(previewForks, projectOf, async (input) =>
    forks.preview(await rowOf(input), input.body),
  );
  router.inProject(createForks, projectOf, async (input) => {
    const { body, caller, request } = input;
    const { plan, rows } = await forks.create(await rowOf(input), body, caller, request.ip);
    return { plan, runs: await Promise.all(rows.map((row) => runs.run(row, caller))) };
  });
  router.inProject(getLineage, projectOf, async (input) => forks.lineage(await rowOf(input)));
}

function bindPreflights({ router, preflights, defaultProject }: RunRouteParts): void {
  type JobInPath = { readonly params: { readonly job_id: string } };
  const projectOf = async ({ params }: JobInPath) =>
    (await preflights.require(Number(params.job_id))).project_id;
  router.inProject(
    startPreflight,
    async ({ body }) => body.project_id ?? (await defaultProject()),
    async ({ body, query, caller }) => {
      const projectId = body.project_id ?? (await defaultProject());
      const jobId = await preflights.start({ ...body, project_id: projectId }, caller);
      return preflights.get(jobId, Number(query.wait));
    },
  );
  router.inProject(getPreflight, projectOf, ({ params, query }) =>
    preflights.get(Number(params.job_id), Number(query.wait)),
  );
  router.inProject(cancelPreflight, projectOf, async ({ params }) => {
    await preflights.cancel(Number(params.job_id));
    return { done: true as const };
  });
}

function bindScriptFiles({ router, runs, queue }: RunRouteParts): void {
  const rowOf = ({ params }: RunInPath): Promise<RunRow> => runs.require(Number(params.run_id));
  router.inProject(
    uploadRunFile,
    async (input) => (await rowOf(input)).project_id,
    async (input) => {
      const row = await rowOf(input);
      if (row.source !== "script")
        throw stateConflict(
          `Run ${row.id} is not an own script's; it takes no files from outside.`,
        );
      if (row.deleted_at !== null)
        throw stateConflict(`Run ${row.id} is deleted; restore it first.`);
      const { body } = input.request;
      if (!(body instanceof Readable))
        throw new SpotterError(
          "unsupported-media-type",
          "Send the bytes as application/octet-stream.",
        );
      return queue.takeRunFile(row.id, input.query.path, body);
    },
  );
}

/** As hot as the workers' door, so bound like it: the caller before the body, the batch parsed by hand. */
function bindScriptEvents(parts: RunRouteParts): void {
  const { app, router, access, runs, queue } = parts;
  /** Never changes, and own scripts send many batches. */
  const projects = new Map<number, number>();
  router.bound.push(sendRunEvents as unknown as (typeof router.bound)[number]);
  app.route<{ Params: { run_id: string } }>({
    method: sendRunEvents.method,
    url: sendRunEvents.path,
    bodyLimit: MAX_BATCH_BYTES,
    onRequest: async (request) => {
      const caller = await access.identify(request);
      const runId = runIdOf(request.params.run_id);
      let projectId = projects.get(runId);
      if (projectId === undefined) {
        const row = await runs.require(runId);
        access.requireRole(caller, row.project_id, "member");
        if (row.source === "recipe")
          throw stateConflict(`Run ${runId} is fed by its own worker; open another for a script.`);
        projectId = row.project_id;
        projects.set(runId, projectId);
      }
      access.requireRole(caller, projectId, "member");
    },
    handler: (request) => {
      const jobId = runIdOf(request.params.run_id);
      const projectId = projects.get(jobId) ?? 0;
      // The batch names the attempt itself: no token is bound to one.
      return queue.takeEvents({ jobId, projectId, kind: "external", attempt: 0 }, request.body);
    },
  });
}

function runIdOf(text: string): number {
  const runId = Number(text);
  if (!/^[1-9][0-9]{0,14}$/.test(text)) throw runNotFound(0);
  return runId;
}
