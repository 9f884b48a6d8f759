// The seeds' doors: REST, SSE and both WebSockets.
import type { WebSocket } from "@fastify/websocket";
import {
  endpoints,
  getCurrentMetrics,
  getMetricsHistory,
  jobMetricsSocket,
  listMetricsDoors,
  metricsSocket,
  streamFlatMetrics,
} from "@spotter/contract";
import type { FastifyRequest } from "fastify";
import { SpotterError } from "../../platform/errors.ts";
import type { Caller } from "../../platform/route.ts";
import {
  type FlatOutlet,
  JobMetricsOutlet,
  MetricsUpdateOutlet,
  TrainingEventOutlet,
  type Wire,
} from "./flat-outlets.ts";
import type { FlatService } from "./flat-service.ts";
import { SocketWire, SseWire } from "./flat-wires.ts";
import { NameFilter } from "./series-names.ts";
import type { EpochCompleted } from "./sink.ts";
import { checkPositions, connectReader, positionAsked, type StreamParts } from "./stream-routes.ts";

export interface FlatParts extends StreamParts {
  readonly flat: FlatService;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
  /** Sockets that want to know of completed epochs. */
  readonly epochOutlets: Set<TrainingEventOutlet>;
}

/** Close codes of our own, by the HTTP status that they stand for. */
const CLOSE_CODE_BASE = 4000;

export function registerFlatRoutes(parts: FlatParts): void {
  bindRest(parts);
  bindStream(parts);
  bindSockets(parts);
}

function bindRest({ router, flat, now }: FlatParts): void {
  router.signedIn(listMetricsDoors, () => ({
    sse: streamFlatMetrics.path,
    websocket: metricsSocket.path,
    rest: getCurrentMetrics.path,
    endpoints: endpoints
      .filter(({ domain }) => domain === "metrics")
      .map(({ method, path, summary }) => ({ method, path, summary })),
  }));
  router.signedIn(getCurrentMetrics, async ({ query, caller }) => {
    const runId = await flat.runFor(caller, query.run_id);
    if (runId === null) return { timestamp: now(), data: null };
    const state = await flat.current(runId);
    return { timestamp: state.time ?? now(), data: state.toMetrics() };
  });
  router.signedIn(getMetricsHistory, async ({ query, caller }) => {
    const runId = await flat.runFor(caller, query.run_id);
    return { history: runId === null ? [] : await flat.history(runId, Number(query.limit)) };
  });
}

function bindStream(parts: FlatParts): void {
  const { router, flat, now } = parts;
  router.signedIn(streamFlatMetrics, async ({ query, caller, request, reply }) => {
    parts.hub.checkRoom(caller);
    const runId = await flat.runFor(caller, query.run_id);
    const after = positionAsked(request, query.after);
    const positions = await checkPositions(parts.service, runId === null ? [] : [runId], after);
    const numHistory = after === undefined ? Number(query.history) : 0;
    const history = runId === null ? [] : await flat.history(runId, numHistory);
    const state = runId === null ? null : await flat.current(runId);
    const runState = runId === null ? null : (await flat.facts(runId)).state;
    const wire = new SseWire(reply);
    wire.write(
      { timestamp: now(), event_type: "connection", data: { status: "connected", run_id: runId } },
      null,
    );
    if (numHistory > 0)
      wire.write(
        {
          timestamp: now(),
          event_type: "historical_data",
          data: history.map((update) => update.data),
        },
        null,
      );
    const outlet = new MetricsUpdateOutlet(wire, state, runState, query.run_id !== undefined);
    follow(parts, { outlet, caller, request, runId, positions, metrics: query.metrics });
  });
}

function bindSockets(parts: FlatParts): void {
  const { router, flat, runs, epochOutlets } = parts;
  router.socket(metricsSocket, null, (socket, { query, caller, request }) => {
    guard(parts, socket, async () => {
      parts.hub.checkRoom(caller);
      const runId = await flat.runFor(caller, query.run_id);
      const state = runId === null ? null : await flat.current(runId);
      const runState = runId === null ? null : (await flat.facts(runId)).state;
      const positions = await checkPositions(
        parts.service,
        runId === null ? [] : [runId],
        query.after,
      );
      const wire = new SocketWire(socket);
      const outlet = new TrainingEventOutlet(wire, state, runState, query.run_id !== undefined);
      epochOutlets.add(outlet);
      socket.on("close", () => epochOutlets.delete(outlet));
      follow(parts, { outlet, caller, request, runId, positions, metrics: query.metrics });
    });
  });
  const projectOf = async ({ params }: { params: { job_id: string } }) =>
    (await runs.require(Number(params.job_id))).project_id;
  router.socket(jobMetricsSocket, projectOf, (socket, { params, caller, request }) => {
    guard(parts, socket, async () => {
      parts.hub.checkRoom(caller);
      const runId = Number(params.job_id);
      const state = await flat.current(runId);
      const positions = await checkPositions(parts.service, [runId], undefined);
      const wire: Wire = new SocketWire(socket);
      if (state.step !== null) wire.write(state.toJobMessage(parts.now()), null);
      const outlet = new JobMetricsOutlet(wire, state, null, true);
      follow(parts, { outlet, caller, request, runId, positions, metrics: undefined });
    });
  });
}

interface Following {
  readonly outlet: FlatOutlet;
  readonly caller: Caller;
  readonly request: FastifyRequest;
  readonly runId: number | null;
  readonly positions: ReadonlyMap<number, number>;
  readonly metrics: string | undefined;
}

function follow(parts: FlatParts, following: Following): void {
  const { outlet, caller, request, runId, positions, metrics } = following;
  const reader = connectReader(
    parts,
    {
      caller,
      request,
      runIds: runId === null ? [] : [runId],
      wishes: {
        topics: new Set(["metrics", "runs"]),
        filter: metrics === undefined ? undefined : new NameFilter(metrics),
      },
    },
    outlet,
  );
  outlet.onRunActive = (nextId) => {
    parts.flat
      .runFor(caller, String(nextId))
      .then(() => parts.flat.blank(nextId))
      .then((state) => {
        outlet.follow(state);
        // From its first point on: nothing of it was told before.
        reader.watch(nextId, 0);
      })
      .catch(parts.onError);
  };
  reader.begin(positions);
}

/** After the upgrade an error can only be told as the reason of the close. */
function guard({ onError }: FlatParts, socket: WebSocket, work: () => Promise<void>): void {
  socket.on("error", onError);
  work().catch((error: unknown) => {
    if (error instanceof SpotterError) socket.close(CLOSE_CODE_BASE + error.status, error.code);
    else {
      onError(error);
      socket.close(1011);
    }
  });
}

export function tellEpoch(
  outlets: ReadonlySet<TrainingEventOutlet>,
  runId: number,
  event: EpochCompleted,
): void {
  for (const outlet of outlets) outlet.epochCompleted(runId, event);
}
