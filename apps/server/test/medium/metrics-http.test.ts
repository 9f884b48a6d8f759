// Metrics over real HTTP: what a script sends is read back, streamed live, resumed and told at the seeds' doors.
import { followRuns } from "@spotter/client";
import {
  createRun,
  getCurrentMetrics,
  getMetricsHistory,
  getRun,
  getSeries,
  type LiveEvent,
  listMetricNames,
  listPoints,
  type MetricAppended,
  pollMetrics,
  querySeries,
  sendRunEvents,
} from "@spotter/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { startTestServer, type TestServer } from "../harness.ts";
import { waitUntil } from "../wait-until.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** A run that sends points one batch at a time. */
async function openScriptRun(name: string) {
  const run = await server.client.call(createRun, { body: { name } });
  let seq = 0;
  return {
    id: run.id,
    async send(series: MetricAppended["series"]) {
      seq += 1;
      return server.client.call(sendRunEvents, {
        params: { run_id: String(run.id) },
        body: { protocol: 1, attempt: 1, seq, events: [{ type: "metric-points", series }] },
      });
    },
  };
}

const losses = (from: number, count: number) => ({
  "train/loss": {
    step: Array.from({ length: count }, (_, index) => from + index),
    time: Array.from({ length: count }, (_, index) => 1_700_000_000 + from + index),
    value: Array.from({ length: count }, (_, index) => 1 / (from + index + 1)),
  },
});

/** Reads a stream in Spotter's format until it has seen so many commits. */
async function readCommits(runId: number, count: number, after?: string) {
  const abort = new AbortController();
  const seen: MetricAppended[] = [];
  let position: string | null = null;
  const options = {
    runs: [runId],
    signal: abort.signal,
    ...(after === undefined ? {} : { after }),
  };
  for await (const message of followRuns(server.client, options)) {
    if (message.event.type !== "metric-appended") continue;
    seen.push(message.event);
    position = message.position;
    if (seen.length >= count) break;
  }
  abort.abort();
  return { seen, position };
}

describe("metrics over HTTP", () => {
  it("gives back what was sent: windows, names, points, CSV and polling", async () => {
    const run = await openScriptRun("reads");
    const receipt = await run.send({
      ...losses(0, 100),
      "val/loss": { step: [50, 99], time: [1, 2], value: ["NaN", 0.25] },
    });
    expect(receipt).toEqual({ seq: 1, duplicate: false, commit_no: 1 });
    const params = { run_id: String(run.id) };
    const window = await server.client.call(getSeries, {
      params,
      query: { name: "train/loss", max_points: "10" },
    });
    expect(window).toMatchObject({ num_points: 100, total_points: 100, commit_no: 1 });
    expect(window.buckets.max[0]).toBe(1);
    expect(window.last).toEqual({ step: 99, time: 1_700_000_099, value: 0.01 });
    const tree = await server.client.call(listMetricNames, { params });
    expect(tree.nodes.map((node) => [node.path, node.num_series])).toEqual([
      ["train/", 1],
      ["val/", 1],
    ]);
    const leaf = await server.client.call(listMetricNames, { params, query: { prefix: "val/" } });
    expect(leaf.nodes).toEqual([
      {
        path: "val/loss",
        kind: "series",
        num_series: 1,
        num_points: 2,
        last_step: 99,
        last_value: 0.25,
      },
    ]);
    const points = await server.client.call(listPoints, { params, query: { name: "val/loss" } });
    expect(points).toMatchObject({ value: ["NaN", 0.25], total: 2, next_offset: null });
    const csv = await fetch(`${server.url}/api/runs/${run.id}/metrics/points.csv?name=val/loss`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    expect(await csv.text()).toBe(
      "step,time,value,attempt,superseded\n50,1,NaN,1,false\n99,2,0.25,1,false\n",
    );
    const polled = await server.client.call(pollMetrics, {
      params,
      query: { commit_no: "0", metrics: "val/" },
    });
    expect(polled.events).toHaveLength(1);
    expect(Object.keys(polled.events[0]!.series)).toEqual(["val/loss"]);
    const many = await server.client.call(querySeries, {
      body: { requests: [{ run_id: run.id, names: ["val/loss", "nothing", "train/loss"] }] },
    });
    expect(many.series.map((one) => one.name)).toEqual(["val/loss", "train/loss"]);
    await expect(
      server.client.call(getSeries, { params, query: { name: "nothing" } }),
    ).rejects.toMatchObject({ code: "metric-not-found", status: 404 });
    expect((await server.client.call(getRun, { params })).num_points).toBe(102);
    // What a list shows of a script's progress; told after the commit.
    await waitUntil(
      () => server.client.call(getRun, { params }),
      ({ last_step: lastStep }) => lastStep === 99,
    );
  });

  it("names the series whose columns differ in length, and stores nothing of the batch", async () => {
    const run = await openScriptRun("uneven");
    await expect(
      run.send({
        loss: { step: [1, 2], time: [1], value: [1, 2] },
        fine: { step: [1], time: [1], value: [1] },
      }),
    ).rejects.toMatchObject({ code: "columns-uneven", message: expect.stringContaining("loss") });
    const names = await server.client.call(listMetricNames, { params: { run_id: String(run.id) } });
    expect(names.nodes).toEqual([]);
  });

  it("streams live and resumes with no gap and no repeat", async () => {
    const run = await openScriptRun("live");
    await run.send(losses(0, 5));
    const first = readCommits(run.id, 2);
    await waitUntil(server.app.openStreams, (count) => count > 0);
    await run.send(losses(5, 5));
    await run.send(losses(10, 5));
    const live = await first;
    expect(live.seen.map((event) => event.commit_no)).toEqual([2, 3]);
    expect(live.position).toBe(`${run.id}:3`);
    for (let batch = 3; batch < 20; batch += 1) await run.send(losses(batch * 5, 5));
    const resumed = readCommits(run.id, 19, `${run.id}:2`);
    await run.send(losses(100, 5));
    await run.send(losses(105, 5));
    const rest = await resumed;
    expect(rest.seen.map((event) => event.commit_no)).toEqual(
      Array.from({ length: 19 }, (_, index) => index + 3),
    );
    expect(rest.seen[0]?.series).toEqual(losses(10, 5));
  });

  it("refuses a question whose answer would fill the memory", async () => {
    const run = await openScriptRun("flood");
    await run.send(losses(0, 10_000));
    const names = Array.from({ length: 110 }, () => "train/loss");
    const body = { requests: [{ run_id: run.id, names, max_points: 10_000 }] };
    await expect(server.client.call(querySeries, { body })).rejects.toMatchObject({
      status: 400,
      code: "invalid-request",
    });
  });

  it("refuses names that are no text, and configs nested without end", async () => {
    const run = await openScriptRun("odd");
    for (const name of ["\ud800", "\ud801"])
      await expect(run.send({ [name]: losses(0, 1)["train/loss"] })).rejects.toMatchObject({
        status: 400,
      });
    const headers = {
      authorization: `Bearer ${server.token}`,
      "content-type": "application/json",
    };
    const deep = `{"config":{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}}`;
    const event = `{"type":"job-result","time":1,"result":{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}}`;
    const batch = `{"protocol":1,"attempt":1,"seq":1,"events":[${event}]}`;
    for (const [path, body] of [
      ["/api/runs", deep],
      [`/api/runs/${run.id}/events`, batch],
    ])
      expect((await fetch(`${server.url}${path}`, { method: "POST", headers, body })).status).toBe(
        400,
      );
  });

  it("refuses a position that it did not give out", async () => {
    const run = await openScriptRun("position");
    const address = `${server.url}/api/stream?runs=${run.id}&after=`;
    const headers = { authorization: `Bearer ${server.token}` };
    for (const after of ["nonsense", `${run.id}:7`]) {
      const answer = await fetch(address + after, { headers });
      expect(answer.status).toBe(400);
      expect(((await answer.json()) as { error: { code: string } }).error.code).toBe(
        "position-unknown",
      );
    }
  });

  it("speaks the seeds' formats at the seeds' doors", async () => {
    const run = await openScriptRun("seeds");
    await run.send(losses(0, 3));
    const query = { run_id: String(run.id) };
    const current = await server.client.call(getCurrentMetrics, { query });
    expect(current.data).toMatchObject({ run_id: run.id, step: 2, train_loss: 1 / 3 });
    const { history } = await server.client.call(getMetricsHistory, {
      query: { ...query, limit: "2" },
    });
    expect(history.map((update) => update.data.step)).toEqual([1, 2]);
    const messages = await readFlatSse(run.id, () => run.send(losses(3, 1)));
    expect(messages.map((message) => message.event_type)).toEqual([
      "connection",
      "historical_data",
      "metrics_update",
    ]);
    expect(messages[2]?.data).toMatchObject({ step: 3, train_loss: 0.25 });
  });

  it("speaks the seeds' formats over both WebSockets", async () => {
    const run = await openScriptRun("sockets");
    await run.send(losses(0, 1));
    const headers = { authorization: `Bearer ${server.token}` };
    const base = server.url.replace("http", "ws");
    const sockets = [
      new WebSocket(`${base}/ws/metrics?run_id=${run.id}`, { headers }),
      new WebSocket(`${base}/ws/training/${run.id}/metrics`, { headers }),
    ];
    const received: Record<string, unknown>[][] = [[], []];
    const before = server.app.openStreams();
    sockets.forEach((socket, index) => {
      socket.on("message", (data) => received[index]?.push(JSON.parse(String(data))));
    });
    await waitUntil(server.app.openStreams, (count) => count >= before + 2);
    await run.send(losses(1, 1));
    await waitUntil(
      () => received.map((messages) => messages.length),
      ([first, second]) => first! > 0 && second! > 1,
    );
    for (const socket of sockets) socket.close();
    // Whoever is gone is forgotten.
    await waitUntil(server.app.openStreams, (count) => count === before);
    expect(received[0]?.at(-1)).toMatchObject({
      message_type: "training_event",
      event: "metrics_update",
      data: { run_id: run.id, metrics: { train_loss: 0.5 } },
    });
    expect(received[1]?.at(-1)).toMatchObject({
      timestamp: new Date(1_700_000_001_000).toISOString(),
      metrics: { loss: 0.5, step: 1 },
    });
  });
});

async function readFlatSse(runId: number, whenOpen: () => Promise<unknown>) {
  const abort = new AbortController();
  const answer = await fetch(`${server.url}/api/stream/metrics?run_id=${runId}`, {
    headers: { authorization: `Bearer ${server.token}` },
    signal: abort.signal,
  });
  const messages: { event_type: string; data: LiveEvent | Record<string, unknown> }[] = [];
  const decoder = new TextDecoder();
  let text = "";
  let isTold = false;
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
      text = text.slice(end + 2);
      if (data !== undefined) messages.push(JSON.parse(data));
    }
    if (messages.length >= 2 && !isTold) {
      isTold = true;
      await whenOpen();
    }
    if (messages.length >= 3) break;
  }
  abort.abort();
  return messages;
}
