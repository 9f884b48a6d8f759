// The live stream of Spotter's own pages and clients: `/api/stream`.
import { openStream, StreamTopic } from "@spotter/contract";
import type { FastifyReply, FastifyRequest } from "fastify";
import { invalidRequest } from "../../platform/errors.ts";
import type { AccessControl, Caller, Router } from "../../platform/route.ts";
import type { RunService } from "../runs/index.ts";
import { positionUnknown } from "./errors.ts";
import type { LiveHub } from "./live.ts";
import { SseOutlet } from "./live-outlets.ts";
import type { Outlet, ReaderWishes } from "./live-reader.ts";
import { parsePositions } from "./positions.ts";
import { NameFilter } from "./series-names.ts";
import type { MetricsService } from "./service.ts";

export interface StreamParts {
  readonly router: Router;
  readonly access: AccessControl;
  readonly hub: LiveHub;
  readonly service: MetricsService;
  readonly runs: RunService;
}

const DEFAULT_TOPICS = StreamTopic.options.filter((topic) => topic !== "host");

export function registerStreamRoutes(parts: StreamParts): void {
  parts.router.signedIn(openStream, async ({ query, caller, request, reply }) => {
    const runIds = [...new Set((query.runs ?? "").split(",").filter(Boolean).map(Number))];
    const wishes = {
      topics: parseTopics(query.topics),
      filter: query.metrics === undefined ? undefined : new NameFilter(query.metrics),
    };
    const after = positionAsked(request, query.after);
    await openReader(
      parts,
      { caller, request, reply, runIds, after, wishes },
      (answer) => new SseOutlet(answer),
    );
  });
}

export interface ReaderCall {
  readonly caller: Caller;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly runIds: readonly number[];
  readonly after: string | undefined;
  readonly wishes: Omit<ReaderWishes, "mayView">;
}

/** Checks everything first, so that errors are ordinary answers; then the answer becomes a stream. */
export async function openReader(
  parts: StreamParts,
  call: ReaderCall,
  makeOutlet: (reply: FastifyReply) => Outlet,
): Promise<void> {
  const { hub } = parts;
  const { caller, request, reply, runIds } = call;
  hub.checkRoom(caller);
  await requireViewer(parts, caller, runIds);
  const known = call.after === undefined ? new Map() : parsePositions(call.after);
  const before = await currentPositions(parts.service, runIds);
  for (const [runId, position] of known)
    if (position > (before.get(runId) ?? Number.POSITIVE_INFINITY))
      throw positionUnknown(call.after ?? "");
  const reader = hub.connect({
    caller,
    outlet: makeOutlet(reply),
    wishes: { ...call.wishes, mayView: mayView(caller) },
    runIds,
    stillAllowed: async () => requireViewer(parts, await parts.access.identify(request), runIds),
  });
  request.raw.on("close", () => hub.leave(reader));
  reader.begin(new Map([...before, ...known]));
}

/** SSE sends `Last-Event-ID` by itself when it reconnects; it is newer than the address. */
export function positionAsked(
  request: FastifyRequest,
  after: string | undefined,
): string | undefined {
  const header = request.headers["last-event-id"];
  const asked = (Array.isArray(header) ? header[0] : header) ?? after;
  return asked === "" ? undefined : asked;
}

export async function currentPositions(
  service: MetricsService,
  runIds: readonly number[],
): Promise<Map<number, number>> {
  const positions = new Map<number, number>();
  for (const runId of runIds) positions.set(runId, await service.position(runId));
  return positions;
}

async function requireViewer(
  { runs, access }: StreamParts,
  caller: Caller,
  runIds: readonly number[],
): Promise<void> {
  for (const runId of runIds)
    access.requireRole(caller, (await runs.require(runId)).project_id, "viewer");
}

// Viewer is the lowest role, so holding any is enough.
function mayView(caller: Caller): (projectId: number) => boolean {
  return (projectId) => caller.isAdmin || caller.roles.has(projectId);
}

function parseTopics(text: string | undefined): ReadonlySet<StreamTopic> {
  if (text === undefined) return new Set(DEFAULT_TOPICS);
  return new Set(
    text.split(",").map((topic) => {
      const parsed = StreamTopic.safeParse(topic.trim());
      if (parsed.success) return parsed.data;
      throw invalidRequest([
        { path: "query.topics", message: `must be some of ${StreamTopic.options.join(", ")}` },
      ]);
    }),
  );
}
