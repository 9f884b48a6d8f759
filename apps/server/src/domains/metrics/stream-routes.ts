// The live stream of Spotter's own pages and clients: `/api/stream`.
import { openStream, StreamTopic } from "@spotter/contract";
import type { FastifyRequest } from "fastify";
import { invalidRequest } from "../../platform/errors.ts";
import type { AccessControl, Caller, Router } from "../../platform/route.ts";
import type { RunService } from "../runs/index.ts";
import { positionUnknown } from "./errors.ts";
import type { LiveHub } from "./live.ts";
import { SseOutlet } from "./live-outlets.ts";
import type { LiveReader, Outlet, ReaderWishes } from "./live-reader.ts";
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
    // Everything is checked first, so that errors are ordinary answers; then the answer becomes a stream.
    parts.hub.checkRoom(caller);
    await requireViewer(parts, caller, runIds);
    const after = positionAsked(request, query.after);
    const positions = await checkPositions(parts.service, runIds, after);
    const reader = connectReader(parts, { caller, request, runIds, wishes }, new SseOutlet(reply));
    reader.begin(positions);
  });
}

export interface ReaderCall {
  readonly caller: Caller;
  readonly request: FastifyRequest;
  readonly runIds: readonly number[];
  readonly wishes: Omit<ReaderWishes, "mayView">;
}

/** Joins a connection to the hub; `begin` on the reader starts it. The caller's rights were checked. */
export function connectReader(parts: StreamParts, call: ReaderCall, outlet: Outlet): LiveReader {
  const { hub, access } = parts;
  const { caller, request, runIds, wishes } = call;
  // Roles change while a stream is open, and so may the run that it follows.
  let current = caller;
  const reader = hub.connect({
    caller,
    outlet,
    wishes: { ...wishes, mayView: (projectId) => mayView(current, projectId) },
    runIds,
    stillAllowed: async () => {
      current = await access.identify(request);
      await requireViewer(parts, current, reader.runIds);
    },
  });
  outlet.onGone(() => hub.leave(reader));
  return reader;
}

/** Where each run's stream stands, or where the caller asks to go on. Throws `position-unknown`. */
export async function checkPositions(
  service: MetricsService,
  runIds: readonly number[],
  after: string | undefined,
): Promise<Map<number, number>> {
  const asked = after === undefined ? new Map<number, number>() : parsePositions(after);
  const positions = new Map<number, number>();
  for (const runId of runIds) {
    const end = await service.position(runId);
    const position = asked.get(runId) ?? end;
    if (position > end) throw positionUnknown(after ?? "");
    positions.set(runId, position);
  }
  return positions;
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

async function requireViewer(
  { runs, access }: StreamParts,
  caller: Caller,
  runIds: readonly number[],
): Promise<void> {
  for (const runId of runIds)
    access.requireRole(caller, (await runs.require(runId)).project_id, "viewer");
}

// Viewer is the lowest role, so holding any is enough.
function mayView(caller: Caller, projectId: number): boolean {
  return caller.isAdmin || caller.roles.has(projectId);
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
