// The page's side of the live connection: through the shared worker where there is one, else an engine of its own.
import { readonly, ref } from "vue";
import { api } from "../api.ts";
import { type EngineMessage, LiveEngine } from "./live-engine.ts";
import type {
  LiveConnection,
  LiveHandlers,
  LiveRequest,
  LiveState,
  LiveSubscription,
} from "./live-interface.ts";
import { type FromWorker, PING_MS, type ToWorker } from "./live-messages.ts";

export type * from "./live-interface.ts";

interface Watched {
  request: LiveRequest;
  handlers: LiveHandlers;
}

const state = ref<LiveState>("connecting");
const lastHeardAt = ref<number | null>(null);
const watched = new Map<string, Watched>();
// Tabs share a worker, so a watch's id must be unlike any other tab's.
const tabId = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
let numWatches = 0;
let send: ((message: ToWorker) => void) | null = null;

const connection: LiveConnection = {
  state: readonly(state),
  lastHeardAt: readonly(lastHeardAt),
  watch,
  retry,
};

/** The one live connection of this page. */
export function useLive(): LiveConnection {
  return connection;
}

function watch(request: LiveRequest, handlers: LiveHandlers): LiveSubscription {
  numWatches += 1;
  const watchId = `${tabId}-${numWatches}`;
  send ??= connect();
  watched.set(watchId, { request, handlers });
  send({ type: "watch", watchId, request: plain(request) });
  return {
    update: (next) => {
      if (!watched.has(watchId)) return;
      watched.set(watchId, { request: next, handlers });
      send?.({ type: "watch", watchId, request: plain(next) });
    },
    close: () => {
      if (watched.delete(watchId)) send?.({ type: "unwatch", watchId });
    },
  };
}

function retry(): void {
  send?.({ type: "retry" });
}

/** Reactive arrays cannot be posted to a worker. */
function plain(request: LiveRequest): LiveRequest {
  return {
    runIds: [...request.runIds],
    topics: [...request.topics],
    ...(request.metrics === undefined ? {} : { metrics: [...request.metrics] }),
  };
}

function connect(): (message: ToWorker) => void {
  if (typeof SharedWorker === "undefined") return connectAlone();
  try {
    return connectShared();
  } catch (failure) {
    console.info("No shared worker here; this tab has a stream of its own.", failure);
    return connectAlone();
  }
}

function connectShared(): (message: ToWorker) => void {
  const worker = new SharedWorker(new URL("./live-worker.ts", import.meta.url), {
    type: "module",
    name: "spotter-live",
  });
  const post = (message: ToWorker): void => worker.port.postMessage(message);
  worker.port.onmessage = (message: MessageEvent<FromWorker>) => take(message.data);
  // A worker that cannot start says so once; then the tab goes on alone.
  worker.onerror = () => {
    send = connectAlone();
    for (const [watchId, { request }] of watched)
      send({ type: "watch", watchId, request: plain(request) });
  };
  setInterval(() => post({ type: "ping" }), PING_MS);
  addEventListener("pagehide", () => post({ type: "bye" }));
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const [watchId, { request }] of watched)
      post({ type: "watch", watchId, request: plain(request) });
    for (const { handlers } of watched.values()) handlers.onGap?.();
  });
  return post;
}

function connectAlone(): (message: ToWorker) => void {
  const engine = new LiveEngine(api, {
    onMessage: (watchId, message) => hand(watchId, message),
    onState: (next) => {
      state.value = next;
    },
    onHeard: (time) => {
      lastHeardAt.value = time;
    },
  });
  return (message) => {
    if (message.type === "watch") engine.setWatch(message.watchId, message.request);
    if (message.type === "unwatch") engine.removeWatch(message.watchId);
    if (message.type === "retry") engine.retry();
    if (message.type === "bye") engine.stop();
  };
}

function take(message: FromWorker): void {
  if (message.type === "state") state.value = message.state;
  if (message.type === "heard") lastHeardAt.value = message.time;
  if (message.type === "message") hand(message.watchId, message.message);
}

function hand(watchId: string, message: EngineMessage): void {
  const handlers = watched.get(watchId)?.handlers;
  if (handlers === undefined) return;
  if (message.type === "event") handlers.onEvent(message.event);
  if (message.type === "opened") handlers.onOpened?.(new Map(message.positions));
  if (message.type === "reconnected") handlers.onReconnected?.();
  if (message.type === "gap") handlers.onGap?.();
}
