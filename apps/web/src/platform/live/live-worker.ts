// The shared worker: one engine, and so one connection, for all tabs. Browsers allow six connections an origin.
import "../no-eval.ts";
import { HttpClient } from "@spotter/client";
import { LiveEngine } from "./live-engine.ts";
import { type FromWorker, PAGE_GONE_MS, type ToWorker } from "./live-messages.ts";

/** TypeScript's page types do not know the worker's own scope. */
interface SharedScope {
  onconnect: ((event: MessageEvent) => void) | null;
}
interface Page {
  port: MessagePort;
  watchIds: Set<string>;
  lastPingAt: number;
}

const pages = new Set<Page>();
const engine = new LiveEngine(new HttpClient({ baseUrl: "" }), {
  onMessage: (watchId, message) => {
    for (const page of pages)
      if (page.watchIds.has(watchId)) tell(page, { type: "message", watchId, message });
  },
  onState: (state) => tellAll({ type: "state", state }),
  onHeard: (time) => tellAll({ type: "heard", time }),
});

(globalThis as unknown as SharedScope).onconnect = (event) => {
  const port = event.ports[0];
  if (port === undefined) return;
  const page: Page = { port, watchIds: new Set(), lastPingAt: Date.now() };
  pages.add(page);
  port.onmessage = (message: MessageEvent<ToWorker>) => take(page, message.data);
  tell(page, { type: "state", state: engine.state });
};

// Ports do not say when their page is gone.
setInterval(() => {
  for (const page of pages) if (Date.now() - page.lastPingAt > PAGE_GONE_MS) drop(page);
}, PAGE_GONE_MS / 3);

function take(page: Page, message: ToWorker): void {
  page.lastPingAt = Date.now();
  pages.add(page);
  if (message.type === "watch") {
    page.watchIds.add(message.watchId);
    engine.setWatch(message.watchId, message.request);
  }
  if (message.type === "unwatch") {
    page.watchIds.delete(message.watchId);
    engine.removeWatch(message.watchId);
  }
  if (message.type === "retry") engine.retry();
  if (message.type === "bye") drop(page);
}

function drop(page: Page): void {
  pages.delete(page);
  for (const watchId of page.watchIds) engine.removeWatch(watchId);
  page.watchIds.clear();
}

function tell(page: Page, message: FromWorker): void {
  page.port.postMessage(message);
}

function tellAll(message: FromWorker): void {
  for (const page of pages) tell(page, message);
}
