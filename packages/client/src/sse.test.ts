// The stream against real HTTP servers that break off, fall silent, refuse and repeat.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type ApiError, HttpClient } from "./http.ts";
import { followSse, type SseMessage, type StreamState } from "./sse.ts";
import { followRuns, positionOf } from "./stream.ts";

const quick = { firstMs: 1, longestMs: 5 };
const endpoint = { method: "GET", path: "/api/stream" };
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Serves one answer after another; the last one again and again. */
async function serve(
  ...answers: ((request: IncomingMessage, response: ServerResponse) => void)[]
): Promise<{ client: HttpClient; lastEventIds: (string | undefined)[]; urls: string[] }> {
  const lastEventIds: (string | undefined)[] = [];
  const urls: string[] = [];
  const server = createServer((request, response) => {
    lastEventIds.push(request.headers["last-event-id"] as string | undefined);
    urls.push(request.url ?? "");
    const answer = answers[Math.min(lastEventIds.length, answers.length) - 1];
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return {
    client: new HttpClient({ baseUrl: `http://127.0.0.1:${port}/` }),
    lastEventIds,
    urls,
  };
}

function events(text: string, then: "end" | "cut" | "stay") {
  return (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(text, () => {
      if (then === "end") response.end();
      if (then === "cut") response.destroy();
    });
  };
}

function refusal(status: number, code: string, headers: Record<string, string> = {}) {
  return (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify({ error: { code, message: "no" } }));
  };
}

async function take<T>(stream: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const item of stream) if (taken.push(item) === count) break;
  return taken;
}

function appended(runId: number, commitNo: number): string {
  const event = {
    type: "metric-appended",
    run_id: runId,
    commit_no: commitNo,
    attempt: 1,
    series: {},
  };
  return `id: ${runId}:${commitNo}\nevent: metric-appended\ndata: ${JSON.stringify(event)}\n\n`;
}

describe("followSse", () => {
  it("goes on behind the last id after a cut connection, and never gives out half an event", async () => {
    const { client, lastEventIds } = await serve(
      events("id: 1\ndata: a\n\nid: 2\nevent: x\ndata: b\n\nid: 3\ndata: ha", "cut"),
      events("id: 3\ndata: c\n\n", "stay"),
    );
    const states: StreamState[] = [];
    const stream = followSse(
      client,
      endpoint,
      {},
      { backOff: quick, onState: (s) => states.push(s) },
    );
    const messages = await take<SseMessage>(stream, 3);
    expect(messages.map(({ data }) => data)).toEqual(["a", "b", "c"]);
    expect(messages.map(({ event }) => event)).toEqual(["message", "x", "message"]);
    expect(lastEventIds).toEqual([undefined, "2"]);
    expect(states).toEqual(["connecting", "open", "reconnecting", "open"]);
  });

  it("begins behind the id that it is given", async () => {
    const { client, lastEventIds } = await serve(events("data: a\n\n", "stay"));
    await take(followSse(client, endpoint, {}, { after: "7:9" }), 1);
    expect(lastEventIds).toEqual(["7:9"]);
  });

  it("tries again after refusals that pass, as long as Retry-After says", async () => {
    const { client } = await serve(
      refusal(503, "shutting-down"),
      refusal(429, "too-many-streams", { "retry-after": "0.01" }),
      events("data: a\n\n", "stay"),
    );
    const causes: unknown[] = [];
    const options = {
      backOff: quick,
      onState: (_: StreamState, cause?: unknown) => causes.push(cause),
    };
    expect(await take(followSse(client, endpoint, {}, options), 1)).toHaveLength(1);
    const codes = causes.map((cause) => (cause as ApiError | undefined)?.code);
    expect(codes).toEqual([undefined, "shutting-down", "too-many-streams", undefined]);
  });

  it("throws refusals that will not pass", async () => {
    const { client } = await serve(refusal(401, "not-signed-in"));
    await expect(take(followSse(client, endpoint, {}), 1)).rejects.toMatchObject({
      code: "not-signed-in",
    });
  });

  it("leaves a connection that says nothing, and takes heartbeats for life", async () => {
    let beats = 0;
    const { client, lastEventIds } = await serve(
      events(": heartbeat\n\n", "stay"),
      events("data: a\n\n", "stay"),
    );
    const options = { backOff: quick, silenceMs: 50, onHeard: () => (beats += 1) };
    await take(followSse(client, endpoint, {}, options), 1);
    expect(beats).toBe(2);
    expect(lastEventIds).toHaveLength(2);
  });

  it("ends without an error when it is aborted, and lets go of the connection", async () => {
    const abort = new AbortController();
    let connection: IncomingMessage["socket"] | undefined;
    const { client } = await serve((request, response) => {
      connection = request.socket;
      events("data: a\n\n", "stay")(request, response);
    });
    const seen: string[] = [];
    for await (const { data } of followSse(client, endpoint, {}, { signal: abort.signal })) {
      seen.push(data);
      abort.abort();
    }
    await vi.waitUntil(() => connection?.destroyed);
    expect(seen).toEqual(["a"]);
  });
});

describe("followRuns", () => {
  it("drops what a careless server repeats, of each run by itself", async () => {
    const { client, urls } = await serve(
      events(appended(1, 1) + appended(2, 1) + appended(1, 2), "cut"),
      events(appended(1, 2) + appended(2, 1) + appended(2, 2), "stay"),
    );
    const stream = followRuns(client, { runs: [1, 2], topics: ["metrics"], backOff: quick });
    const taken = await take(stream, 4);
    expect(taken.map(({ position }) => position)).toEqual(["1:1", "2:1", "1:2", "2:2"]);
    expect(urls[0]).toBe("/api/stream?runs=1%2C2&topics=metrics");
  });

  it("says that there is a gap and goes on from now when the position is unknown", async () => {
    const { client, lastEventIds } = await serve(
      refusal(400, "position-unknown"),
      events(appended(1, 9), "stay"),
    );
    let gaps = 0;
    const after = positionOf(new Map([[1, 3]]));
    await take(followRuns(client, { runs: [1], after, onGap: () => (gaps += 1) }), 1);
    expect(gaps).toBe(1);
    expect(lastEventIds).toEqual(["1:3", undefined]);
  });

  it("ends with not-signed-in when the server closes because of a sign-out", async () => {
    const closing = `event: stream-closing\ndata: {"type":"stream-closing","reason":"signed-out"}\n\n`;
    const { client } = await serve(events(closing, "end"));
    await expect(take(followRuns(client), 1)).rejects.toMatchObject({ status: 401 });
  });
});
