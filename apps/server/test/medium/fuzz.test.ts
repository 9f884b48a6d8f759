// Malformed calls at every route: always an answer of ours with the right kind of status, never a 500, never a crash.
import {
  type AnyEndpoint,
  createRun,
  ErrorEnvelope,
  errorTable,
  getRun,
  Health,
} from "@spotter/contract";
import { beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../harness.ts";
import { addressOf, everyCall, type SampleCall } from "../sample-calls.ts";

const TRICKS: readonly string[] = [
  "..%2f..%2fetc%2fpasswd",
  "%2e%2e",
  "%00",
  "-1",
  "0",
  "1.5",
  "1e3",
  "99999999999999999999",
  "NaN",
  "null",
  "true",
  "'",
  "%27%20or%201=1--",
  "%F0%9F%99%82",
  "a".repeat(3000),
  "%",
  "%E0%A4%A",
];
const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  -1,
  0,
  1.5,
  1e308,
  2 ** 60,
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "../../etc/passwd",
  "x".repeat(70_000),
  [],
  [[]],
  [null],
  {},
  { a: 1 },
  { __proto__: null, constructor: 1 },
  "NaN",
  "2026-11-21",
  "🙂",
];
const BODIES: readonly string[] = [
  "",
  "{",
  "null",
  "[]",
  "1",
  '"text"',
  '{"a":',
  '{"__proto__":{"x":1}}',
  "\u0000",
  `{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
];
// What these do to the server itself would end the walk: signing the caller out, ending the caller's own account.
const LEFT_OUT = new Set(["sign-out", "change-password", "update-user", "remove-member"]);

// Every endpoint times every trick: the walk grows with the house.
describe("malformed calls", { timeout: 240_000 }, () => {
  let server: TestServer;
  let runId: number;

  beforeAll(async () => {
    server = await startTestServer();
    runId = (await server.client.call(createRun, { body: { name: "fuzzed" } })).id;
    return () => server.close();
  });

  const calls = () =>
    everyCall({ runId, projectId: 1, userId: 1 }).filter(
      ({ endpoint }) => !LEFT_OUT.has(endpoint.name),
    );

  async function send(
    endpoint: AnyEndpoint,
    url: string,
    body: string | null,
    contentType = "application/json",
  ): Promise<void> {
    const abort = new AbortController();
    const response = await fetch(url, {
      method: endpoint.method,
      headers: {
        authorization: `Bearer ${server.token}`,
        ...(body === null ? {} : { "content-type": contentType }),
      },
      body: endpoint.method === "GET" ? null : body,
      signal: abort.signal,
    });
    const told = `${endpoint.name} ${url.slice(0, 200)} ${body?.slice(0, 200) ?? ""} → ${response.status}`;
    // 502–504 never come from us; 503 and 507 are ours, but nothing here is busy or full.
    expect(response.status, told).toBeLessThan(500);
    if (response.status >= 400) {
      const { error } = ErrorEnvelope.parse(await response.json());
      expect(Object.keys(errorTable), told).toContain(error.code);
      expect(errorTable[error.code as keyof typeof errorTable].status, told).toBe(response.status);
    } else if (endpoint.stream === undefined) await response.text();
    abort.abort();
  }

  it("in a path parameter get an answer of ours", async () => {
    for (const { endpoint, call } of calls()) {
      for (const key of Object.keys(call.params ?? {})) {
        for (const trick of TRICKS) {
          const url = addressOf(server.url, endpoint, {
            ...call,
            params: { ...call.params, [key]: "TRICK" },
          }).replace("TRICK", trick);
          await send(endpoint, url, call.body === undefined ? null : JSON.stringify(call.body));
        }
      }
    }
  });

  it("in a query get an answer of ours", async () => {
    const keys = [
      "run_id",
      "limit",
      "after",
      "before",
      "cursor",
      "sort",
      "direction",
      "q",
      "state",
      "metrics",
      "runs",
      "topics",
      "name",
      "from",
      "to",
      "max_points",
      "x",
      "prefix",
      "offset",
      "commit_no",
      "history",
      "project_id",
      "level",
      "tag",
      "wait",
      "attempt",
    ];
    let turn = 0;
    for (const { endpoint, call } of calls().filter((one) => one.endpoint.method === "GET")) {
      for (const key of keys) {
        for (const trick of chosenTricks(turn++)) {
          const base = addressOf(server.url, endpoint, call);
          await send(endpoint, `${base}${base.includes("?") ? "&" : "?"}${key}=${trick}`, null);
        }
      }
    }
  }, 300_000);

  it("with bodies that are no JSON, or of another kind, get an answer of ours", async () => {
    for (const { endpoint, call } of calls().filter((one) => one.endpoint.method !== "GET")) {
      const url = addressOf(server.url, endpoint, call);
      for (const body of BODIES) await send(endpoint, url, body);
      for (const kind of [
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/zip",
      ])
        await send(endpoint, url, "body", kind);
    }
  });

  it("with wrong values in any field get an answer of ours", async () => {
    for (const { endpoint, call } of calls().filter((one) => one.call.body !== undefined)) {
      const url = addressOf(server.url, endpoint, call);
      for (const body of mutations(call)) await send(endpoint, url, JSON.stringify(body));
    }
  });

  it("with bodies over the limit are refused without being read into memory", async () => {
    const huge = JSON.stringify({ name: "x".repeat(40 * 1024 * 1024) });
    const response = await fetch(`${server.url}/api/runs`, {
      method: "POST",
      headers: { authorization: `Bearer ${server.token}`, "content-type": "application/json" },
      body: huge,
    }).catch((error: unknown) => error);
    // The server may close the connection while we still send; either way it says 413 or hangs up, and lives.
    if (response instanceof Response) expect(response.status).toBe(413);
    expect((await fetch(`${server.url}/api/system/health`)).status).toBe(200);
  });

  it("leave the run that they were aimed at readable and in order", async () => {
    const run = await server.client.call(getRun, { params: { run_id: runId } });
    expect(run.id).toBe(runId);
    const health = Health.parse(await (await fetch(`${server.url}/api/system/health`)).json());
    // "degraded" here, because this server has no Python environment; its database must be well.
    expect(health.checks.database?.ok).toBe(true);
  });
});

/** Three of the tricks, other ones at each turn: every key of every endpoint meets some, every trick every key. */
function chosenTricks(turn: number): string[] {
  return [0, 1, 2].map((offset) => TRICKS[(3 * turn + offset) % TRICKS.length] ?? "");
}

/** The sample body with each field, also of nested objects, replaced by each wrong value, and with one field too many. */
function* mutations(call: SampleCall): Generator<unknown> {
  const body = call.body as Record<string, unknown>;
  yield { ...body, unknown_field: 1 };
  for (const value of VALUES) yield value;
  for (const [key, held] of Object.entries(body)) {
    for (const value of VALUES) yield { ...body, [key]: value };
    if (Array.isArray(held) && typeof held[0] === "object") {
      for (const inner of Object.keys(held[0] as object))
        for (const value of VALUES)
          yield { ...body, [key]: [{ ...(held[0] as object), [inner]: value }] };
    }
  }
}
