// The worker protocol's routes, and those that show the queue.
import { Readable } from "node:stream";
import {
  cancelQueued,
  getJob,
  getJobSpec,
  getQueue,
  MAX_BATCH_BYTES,
  pollCommands,
  putWorkerFile,
  reorderQueue,
  sendWorkerEvents,
  setJobPriority,
} from "@spotter/contract";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { invalidRequest, SpotterError } from "../../platform/errors.ts";
import type { Router } from "../../platform/route.ts";
import type { AttemptIdentity, AttemptTokens } from "./attempt-tokens.ts";
import type { CommandBoard } from "./command-board.ts";
import { jobNotFound } from "./errors.ts";
import type { QueueService } from "./service.ts";

const MAX_WAIT_S = 30;

export interface QueueRouteParts {
  readonly service: QueueService;
  readonly tokens: AttemptTokens;
  readonly board: CommandBoard;
}

export function registerQueueRoutes(
  app: FastifyInstance,
  router: Router,
  { service, tokens, board }: QueueRouteParts,
): void {
  router.signedIn(getQueue, ({ caller }) => service.queue(caller));
  router.inProject(
    getJob,
    async ({ params }) => (await service.jobRow(Number(params.job_id))).project_id,
    ({ params }) => service.job(Number(params.job_id)),
  );

  router.signedIn(reorderQueue, ({ body, caller, request }) =>
    service.reorder(body.job_ids, caller, request.ip),
  );
  router.signedIn(cancelQueued, ({ body, caller, request }) =>
    service.cancel(body.job_ids, caller, request.ip),
  );
  router.inProject(
    setJobPriority,
    async ({ params }) => (await service.jobRow(Number(params.job_id))).project_id,
    ({ params, body, caller, request }) =>
      service.setPriority(Number(params.job_id), body.priority, caller, request.ip),
  );

  router.public(getJobSpec, async ({ params, request }) => {
    const identity = await tokens.identifyCurrent(request, Number(params.job_id));
    return service.spec(identity.jobId, identity.attempt);
  });
  router.public(pollCommands, async ({ params, query, request, reply }) => {
    const identity = await tokens.identifyCurrent(request, Number(params.job_id));
    if (Number(query.attempt) !== identity.attempt)
      throw invalidRequest([
        { path: "query.attempt", message: `the token belongs to attempt ${identity.attempt}` },
      ]);
    const gone = new AbortController();
    reply.raw.once("close", () => gone.abort());
    const waitS = Math.min(Number(query.wait), MAX_WAIT_S);
    const after = Number(query.after);
    const { jobId, attempt } = identity;
    return { commands: await board.poll(jobId, attempt, after, waitS, gone.signal) };
  });
  router.public(putWorkerFile, async ({ params, request }) => {
    const { jobId } = await tokens.identifyCurrent(request, Number(params.job_id));
    if (!(request.body instanceof Readable))
      throw new SpotterError(
        "unsupported-media-type",
        "Send the bytes as application/octet-stream.",
      );
    return service.takeFile(jobId, params.sha256, request.body);
  });
  registerEventRoute(app, router, service, tokens);
}

/**
 * The hot route: bound without the router, whose schema pass costs more than everything else it does. The token is
 * looked at before the body is read.
 */
function registerEventRoute(
  app: FastifyInstance,
  router: Router,
  service: QueueService,
  tokens: AttemptTokens,
): void {
  const identities = new WeakMap<FastifyRequest, AttemptIdentity>();
  router.bound.push(sendWorkerEvents as unknown as (typeof router.bound)[number]);
  app.route<{ Params: { job_id: string } }>({
    method: sendWorkerEvents.method,
    url: sendWorkerEvents.path,
    bodyLimit: MAX_BATCH_BYTES,
    onRequest: async (request) => {
      const jobId = Number(request.params.job_id);
      if (!Number.isSafeInteger(jobId) || jobId < 1) throw jobNotFound(0);
      identities.set(request, await tokens.identify(request, jobId));
    },
    handler: (request) =>
      service.takeEvents(identities.get(request) as AttemptIdentity, request.body),
  });
}
