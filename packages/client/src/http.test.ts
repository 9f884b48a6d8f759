// Calls against a real HTTP server that answers as ours, as a proxy, or not at all.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getRun, listRuns } from "@spotter/contract";
import { afterEach, expect, it } from "vitest";
import { HttpClient } from "./http.ts";
import { eachRun } from "./runs.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function json(response: ServerResponse, status: number, value: unknown, headers = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(value));
}

it("fills the path, leaves out what is undefined, and sends the token", async () => {
  const seen: unknown[] = [];
  const baseUrl = await serve(({ url, headers }, response) => {
    seen.push(url, headers.authorization);
    json(response, 200, {});
  });
  const client = new HttpClient({ baseUrl: `${baseUrl}/`, token: "t" });
  await client.call(getRun, { params: { run_id: 42 } });
  await client.call(listRuns, { query: { q: "a b&c", tag: undefined } });
  expect(seen).toEqual(["/api/runs/42", "Bearer t", "/api/runs?q=a+b%26c", "Bearer t"]);
});

it("turns every failure into one class that says whether trying again can help", async () => {
  const answers: ((response: ServerResponse) => void)[] = [
    (response) =>
      json(response, 404, { error: { code: "run-not-found", message: "no", details: { a: 1 } } }),
    (response) =>
      json(
        response,
        429,
        { error: { code: "too-many-requests", message: "no" } },
        { "retry-after": "7" },
      ),
    (response) => response.writeHead(502).end("<html>Bad gateway</html>"),
    (response) => response.writeHead(200).end("<html>Sign in to the hotel's network</html>"),
    (response) => response.destroy(),
  ];
  const baseUrl = await serve((_, response) => answers.shift()?.(response));
  const client = new HttpClient({ baseUrl });
  const failures: unknown[] = [];
  for (let call = 0; call < 5; call += 1)
    await client.call(getRun, { params: { run_id: 1 } }).catch((error: unknown) => {
      failures.push(error);
    });
  expect(failures).toMatchObject([
    { code: "run-not-found", status: 404, details: { a: 1 }, isTemporary: false },
    { code: "too-many-requests", retryAfterS: 7, isTemporary: true },
    { code: "unexpected-answer", status: 502, isTemporary: true },
    { code: "unexpected-answer", status: 200, isTemporary: false },
    { code: "unreachable", status: 0, isTemporary: true },
  ]);
});

it("walks through all pages", async () => {
  const cursors: (string | null)[] = [];
  const baseUrl = await serve((request, response) => {
    const cursor = new URL(request.url ?? "", "http://x").searchParams.get("cursor");
    cursors.push(cursor);
    const page = Number(cursor ?? 0);
    json(response, 200, {
      runs: [{ id: 2 * page + 1 }, { id: 2 * page + 2 }],
      next_cursor: page < 2 ? String(page + 1) : null,
      total: 6,
    });
  });
  const ids: number[] = [];
  for await (const { id } of eachRun(new HttpClient({ baseUrl }))) ids.push(id);
  expect(ids).toEqual([1, 2, 3, 4, 5, 6]);
  expect(cursors).toEqual([null, "1", "2"]);
});
