// The engine against a real HTTP server: opening, sharing, resuming, falling back.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { HttpClient } from "@spotter/client";
import type { LiveEvent } from "@spotter/contract";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type EngineMessage, LiveEngine } from "./live-engine.ts";
import type { LiveState } from "./live-interface.ts";

/** A server that speaks the stream; each test says what it answers. */
let server: Server;
let streams: { query: URLSearchParams; response: ServerResponse }[];
let answerStream: (request: IncomingMessage, response: ServerResponse) => void;
let polled: URLSearchParams[];
let engine: LiveEngine;
let messages: { watchId: string; message: EngineMessage }[];
let states: LiveState[];

const WAIT = { timeout: 15_000, interval: 20 };

beforeEach(async () => {
  streams = [];
  polled = [];
  messages = [];
  states = [];
  answerStream = (request, response) => {
    const query = new URL(request.url ?? "", "http://x").searchParams;
    response.writeHead(200, { "content-type": "text/event-stream" });
    streams.push({ query, response });
    const runs = query.get("runs")?.split(",") ?? [];
    const positions = Object.fromEntries(runs.map((runId) => [runId, 100]));
    send(response, { type: "stream-opened", time: 1, positions });
  };
  server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://x");
    if (url.pathname === "/api/stream") answerStream(request, response);
    else if (url.pathname === "/api/system/health")
      json(response, { status: "ok", version: "0", time: 1, uptime_s: 1, checks: {} });
    else if (/^\/api\/runs\/4[23]$/.test(url.pathname))
      json(response, { id: Number(url.pathname.slice(-2)), commit_no: 100 });
    else if (url.pathname === "/api/runs/42/metrics/after") {
      polled.push(url.searchParams);
      const first = url.searchParams.get("commit_no") === "100";
      json(response, { events: first ? [metric(42, 101)] : [], commit_no: 101, more: false });
    } else {
      json(response, { error: { code: "run-not-found", message: "No such run." } }, 404);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  engine = new LiveEngine(new HttpClient({ baseUrl: `http://127.0.0.1:${port}` }), {
    onMessage: (watchId, message) => messages.push({ watchId, message }),
    onState: (state) => states.push(state),
    onHeard: () => undefined,
  });
});

afterEach(async () => {
  engine.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

it("opens one stream for all who watch in the same moment and says where their runs stand", async () => {
  engine.setWatch("a", { runIds: [42], topics: ["metrics"] });
  engine.setWatch("b", { runIds: [43], topics: ["logs"] });
  await vi.waitFor(() => expect(of("opened")).toHaveLength(2), WAIT);
  expect(streams).toHaveLength(1);
  expect(streams[0]?.query.get("runs")).toBe("43,42");
  expect(states).toEqual(["live"]);
});

it("hands events to those who asked, and goes on behind the last one after a break", async () => {
  engine.setWatch("a", { runIds: [42], topics: ["metrics"] });
  engine.setWatch("b", { runIds: [], topics: ["runs"] });
  await vi.waitFor(() => expect(streams).toHaveLength(1), WAIT);
  const first = streams[0]?.response as ServerResponse;
  send(first, metric(42, 101), "42:101");
  await vi.waitFor(() => expect(of("event")).toEqual(["a"]), WAIT);
  first.destroy();
  await vi.waitFor(() => expect(streams).toHaveLength(2), WAIT);
  expect(streams[1]?.query.get("after")).toBe("42:101");
  await vi.waitFor(() => expect(of("reconnected")).toEqual(["a", "b"]), WAIT);
  expect(of("opened")).toEqual(["a", "b"]);
  expect(states).toEqual(["live", "reconnecting", "live"]);
});

it("keeps the stream when somebody new asks for what it brings already", async () => {
  engine.setWatch("a", { runIds: [42], topics: ["metrics", "runs"] });
  await vi.waitFor(() => expect(of("opened")).toEqual(["a"]), WAIT);
  engine.setWatch("b", { runIds: [42], topics: ["runs"] });
  await vi.waitFor(() => expect(of("opened")).toEqual(["a", "b"]), WAIT);
  expect(streams).toHaveLength(1);
});

it("opens anew, from where it was, when somebody asks for another run", async () => {
  engine.setWatch("a", { runIds: [42], topics: ["metrics"] });
  await vi.waitFor(() => expect(of("opened")).toEqual(["a"]), WAIT);
  engine.setWatch("b", { runIds: [43], topics: ["metrics"] });
  await vi.waitFor(() => expect(streams).toHaveLength(2), WAIT);
  expect(streams[1]?.query.get("runs")).toBe("43,42");
  expect(streams[1]?.query.get("after")).toBe("42:100");
  await vi.waitFor(() => expect(of("opened")).toEqual(["a", "b"]), WAIT);
});

it("says that events may be missing when the server does not know the position", async () => {
  engine.setWatch("a", { runIds: [42], topics: ["metrics"] });
  await vi.waitFor(() => expect(of("opened")).toEqual(["a"]), WAIT);
  const proper = answerStream;
  answerStream = (_request, response) => {
    answerStream = proper;
    const error = { code: "position-unknown", message: "unknown" };
    json(response, { error }, 400);
  };
  streams[0]?.response.destroy();
  await vi.waitFor(() => expect(of("gap")).toEqual(["a"]), WAIT);
  await vi.waitFor(() => expect(streams.at(-1)?.query.get("after")).toBeNull(), WAIT);
});

it("asks by polling where streams are blocked, from the run's present position on", async () => {
  answerStream = (_request, response) => json(response, "blocked by a proxy", 502);
  engine.setWatch("a", { runIds: [42], topics: ["metrics"] });
  await vi.waitFor(() => expect(of("event")).toEqual(["a"]), WAIT);
  expect(states.at(-1)).toBe("polling");
  expect(of("opened")).toEqual(["a"]);
  expect(polled[0]?.get("commit_no")).toBe("100");
});

it("leaves out a run that does not exist and keeps the others live, without polling", async () => {
  const proper = answerStream;
  let numRefused = 0;
  answerStream = (request, response) => {
    const runs = new URL(request.url ?? "", "http://x").searchParams.get("runs")?.split(",");
    if (runs?.includes("14") !== true) return proper(request, response);
    numRefused += 1;
    json(response, { error: { code: "run-not-found", message: "No such run." } }, 404);
  };
  engine.setWatch("a", { runIds: [42], topics: ["metrics"] });
  await vi.waitFor(() => expect(of("opened")).toEqual(["a"]), WAIT);
  engine.setWatch("b", { runIds: [14], topics: ["metrics", "runs"] });
  engine.setWatch("c", { runIds: [43, 14], topics: ["metrics"] });
  await vi.waitFor(() => expect(of("opened")).toEqual(["a", "c"]), WAIT);
  send(streams.at(-1)?.response as ServerResponse, metric(42, 101), "42:101");
  await vi.waitFor(() => expect(of("event")).toEqual(["a"]), WAIT);
  expect(streams.at(-1)?.query.get("runs")).toBe("43,42");
  expect(streams.at(-1)?.query.get("after")).toBe("42:100");
  expect(numRefused).toBe(1);
  expect(states).toEqual(["live"]);
});

it("stops when the session has ended, and goes on when somebody signs in", async () => {
  const proper = answerStream;
  answerStream = (_request, response) =>
    json(response, { error: { code: "not-signed-in", message: "Sign in." } }, 401);
  engine.setWatch("a", { runIds: [], topics: ["runs"] });
  await vi.waitFor(() => expect(states).toEqual(["signed-out"]), WAIT);
  answerStream = proper;
  engine.retry();
  await vi.waitFor(() => expect(states.at(-1)).toBe("live"), WAIT);
});

function of(type: EngineMessage["type"]): string[] {
  return messages.filter((entry) => entry.message.type === type).map((entry) => entry.watchId);
}

function metric(runId: number, commitNo: number): LiveEvent {
  const columns = { step: [1], time: [1], value: [0.5] };
  return {
    type: "metric-appended",
    run_id: runId,
    commit_no: commitNo,
    attempt: 1,
    series: { "train/loss": columns },
  };
}

function send(response: ServerResponse, event: LiveEvent, id?: string): void {
  const identity = id === undefined ? "" : `id: ${id}\n`;
  response.write(`${identity}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
