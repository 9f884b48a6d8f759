// Sending against a real HTTP server that loses answers, as a bad network does.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { EventBatch } from "@spotter/contract";
import { afterEach, expect, it } from "vitest";
import { EventSender } from "./event-sender.ts";
import { type EventInput, splitEvents } from "./event-splitter.ts";
import { HttpClient } from "./http.ts";

const quick = { firstMs: 1, longestMs: 5 };
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Keeps every number once, as the real one does; `lose` decides whether the answer gets through. */
async function ingest(lose: (call: number) => "answer" | "request" | null) {
  const stored: EventBatch[] = [];
  let calls = 0;
  const server = createServer(async (request, response) => {
    const lost = lose(++calls);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (lost === "request") return request.socket.destroy();
    const batch = EventBatch.parse(JSON.parse(Buffer.concat(chunks).toString()));
    const duplicate = stored.some(
      (other) => other.seq === batch.seq && other.attempt === batch.attempt,
    );
    if (!duplicate) stored.push(batch);
    if (lost === "answer") return request.socket.destroy();
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ seq: batch.seq, duplicate, commit_no: null }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { client: new HttpClient({ baseUrl: `http://127.0.0.1:${port}` }), stored };
}

function points(name: string, count: number, first = 0): EventInput {
  const step = Array.from({ length: count }, (_, index) => first + index);
  return { type: "metric-points", series: { [name]: { step, time: step, value: step } } };
}

it("sends a batch again under the same number until it is acknowledged, and stores it once", async () => {
  const { client, stored } = await ingest((call) =>
    call === 1 ? "request" : call === 3 ? "answer" : null,
  );
  const retries: unknown[] = [];
  const onRetry = (cause: unknown) => retries.push(cause);
  const sender = new EventSender(client, { runId: 1, backOff: quick, onRetry });
  const receipts = await Promise.all([
    sender.send([points("a", 2)]),
    sender.send([points("b", 1)]),
  ]);
  expect(stored.map(({ seq }) => seq)).toEqual([1, 2]);
  expect(receipts.flat().map(({ duplicate }) => duplicate)).toEqual([false, true]);
  expect(retries).toHaveLength(2);
  expect(sender.nextSeq).toBe(3);
});

it("numbers the batches of a new attempt from one", async () => {
  const { client, stored } = await ingest(() => null);
  const sender = new EventSender(client, { runId: 1 });
  await sender.send([points("a", 2)]);
  await sender.beginAttempt(1, 5);
  await sender.send([points("a", 2)]);
  expect(stored.map(({ attempt, seq }) => [attempt, seq])).toEqual([
    [1, 1],
    [2, 1],
    [2, 2],
  ]);
  expect(stored[1]?.events[0]).toMatchObject({ type: "run-started", first_step: 1 });
});

it("stops waiting when it is aborted", async () => {
  const abort = new AbortController();
  const { client } = await ingest(() => "request");
  const options = { runId: 1, signal: abort.signal, backOff: quick, onRetry: () => abort.abort() };
  const sender = new EventSender(client, options);
  await expect(sender.send([points("a", 1)])).rejects.toThrow(/abort/i);
});

it("splits by points, events and bytes and keeps every point in its order", () => {
  const limits = { points: 10, events: 3, bytes: 100_000 };
  const events = [
    points("a", 25),
    points("b", 4),
    ...Array.from({ length: 5 }, () => points("c", 1)),
  ];
  const batches = splitEvents(events, limits);
  const steps = { a: [] as number[], b: [] as number[], c: [] as number[] };
  for (const batch of batches) {
    expect(batch.length).toBeLessThanOrEqual(3);
    let inBatch = 0;
    for (const event of batch)
      if (event.type === "metric-points")
        for (const [name, columns] of Object.entries(event.series)) {
          inBatch += columns.step.length;
          steps[name as "a"].push(...columns.step);
        }
    expect(inBatch).toBeLessThanOrEqual(10);
  }
  expect(steps.a).toEqual(Array.from({ length: 25 }, (_, index) => index));
  expect(steps.b).toEqual([0, 1, 2, 3]);
  expect(steps.c).toHaveLength(5);
  const byBytes = splitEvents([points("a", 100)], { points: 1000, events: 3, bytes: 1000 });
  expect(byBytes.length).toBeGreaterThan(5);
});
