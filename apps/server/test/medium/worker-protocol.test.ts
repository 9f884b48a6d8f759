// The worker protocol over HTTP: tokens, attempts, sequences, commands, files.
import { createHash } from "node:crypto";
import {
  controlTraining,
  createRun,
  type EventBatchInput,
  getRun,
  listRunFiles,
  listRunLogs,
  sendRunEvents,
} from "@spotter/contract";
import { type RawBuilder, sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../harness.ts";
import { openPlayedAttempt } from "../played-attempt.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** A training in its first attempt, as if its worker had just been started. */
async function startedTraining(): Promise<{ id: number; token: string }> {
  const { id } = await server.client.call(createRun, { body: { name: "by hand" } });
  await change(
    sql`update runs set source = 'recipe', recipe = 'vision', state = 'starting' where id = ${id}`,
  );
  return { id, token: await openAttempt(id, 1) };
}

function openAttempt(id: number, attempt: number): Promise<string> {
  return server.database.transaction((transaction) => openPlayedAttempt(transaction, id, attempt));
}

function change(statement: RawBuilder<unknown>): Promise<unknown> {
  return server.database.transaction((transaction) => statement.execute(transaction));
}

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown> & {
    error?: { code: string; details?: Record<string, unknown> };
  };
}

async function call(method: string, path: string, token: string, body?: unknown): Promise<Answer> {
  const isSent = body !== undefined;
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(isSent ? { "content-type": "application/json" } : {}),
    },
    body: isSent ? JSON.stringify(body) : null,
  });
  return { status: response.status, json: (await response.json()) as Answer["json"] };
}

const line = (text: string) => ({
  time: 1,
  stream: "stdout" as const,
  level: "info" as const,
  text,
});
const logBatch = (seq: number, attempt = 1): EventBatchInput => ({
  protocol: 1,
  attempt,
  seq,
  events: [{ type: "log-lines", lines: [line(`line ${seq}`)] }],
});
const send = (id: number, token: string, batch: unknown) =>
  call("POST", `/api/worker/jobs/${id}/events`, token, batch);

describe("worker events", () => {
  it("are stored once, in order, whatever is repeated or skipped", async () => {
    const { id, token } = await startedTraining();
    expect(await send(id, token, logBatch(1))).toMatchObject({
      status: 200,
      json: { seq: 1, duplicate: false },
    });
    expect((await send(id, token, logBatch(1))).json).toMatchObject({ duplicate: true });
    const gap = await send(id, token, logBatch(3));
    expect(gap).toMatchObject({
      status: 409,
      json: { error: { code: "sequence-gap", details: { expected_seq: 2 } } },
    });
    expect((await send(id, token, logBatch(2))).status).toBe(200);
    const logs = await server.client.call(listRunLogs, { params: { run_id: String(id) } });
    expect(logs.lines.map(({ line_no, text }) => [line_no, text])).toEqual([
      [1, "line 1"],
      [2, "line 2"],
    ]);
  });

  it("count separately for worker and supervisor", async () => {
    const { id, token } = await startedTraining();
    await send(id, token, logBatch(1));
    const beat = {
      protocol: 1,
      attempt: 1,
      source: "supervisor",
      seq: 1,
      events: [{ type: "heartbeat", time: 1, worker_pid: 5 }],
    };
    expect((await send(id, token, beat)).json).toMatchObject({ duplicate: false });
    const wrong = await send(id, token, { ...beat, source: "worker", seq: 2 });
    expect(wrong).toMatchObject({ status: 400, json: { error: { code: "invalid-request" } } });
  });

  it("need the token of this very attempt, which opens nothing else", async () => {
    const { id, token } = await startedTraining();
    expect((await send(id, "spw_wrong", logBatch(1))).json.error?.code).toBe(
      "worker-token-invalid",
    );
    expect((await send(id, server.token, logBatch(1))).json.error?.code).toBe(
      "worker-token-invalid",
    );
    expect((await send(id + 1000, token, logBatch(1))).json.error?.code).toBe("job-not-found");
    expect((await call("GET", "/api/runs", token)).json.error?.code).toBe("token-invalid");
    expect((await send(id, token, logBatch(1, 2))).json.error?.code).toBe("invalid-request");
  });

  it("of an older attempt are refused, so that it exits", async () => {
    const { id, token } = await startedTraining();
    await openAttempt(id, 2);
    const answer = await send(id, token, logBatch(1));
    expect(answer).toMatchObject({ status: 409, json: { error: { code: "attempt-superseded" } } });
  });

  it("are drained after the process has ended, until both ends are told", async () => {
    const { id, token } = await startedTraining();
    const exit = {
      exit_code: null,
      signal: "SIGKILL",
      out_of_memory: false,
      reason: null,
      message: null,
    };
    const ended = {
      protocol: 1,
      attempt: 1,
      source: "supervisor",
      seq: 1,
      events: [{ type: "attempt-ended", time: 5, exit }],
    };
    await send(id, token, ended);
    const params = { run_id: String(id) };
    const failed = await server.client.call(getRun, { params });
    expect(failed).toMatchObject({ state: "failed", reason: "The worker was killed by SIGKILL." });
    expect(failed.error).toMatchObject({ kind: "SIGKILL" });
    const told = {
      protocol: 1,
      attempt: 1,
      seq: 1,
      events: [
        { type: "run-ended", time: 4, state: "finished", metrics: { "test/accuracy": 0.98 } },
      ],
    };
    expect((await send(id, token, told)).status).toBe(200);
    expect(await server.client.call(getRun, { params })).toMatchObject({
      state: "finished",
      error: null,
      metrics: { "test/accuracy": 0.98 },
    });
    expect((await send(id, token, told)).json).toMatchObject({ duplicate: true });
    expect((await send(id, token, logBatch(2))).json.error?.code).toBe("attempt-ended");
  });

  it("of a malformed batch store nothing by half", async () => {
    const { id, token } = await startedTraining();
    const bad = {
      ...logBatch(1),
      events: [...logBatch(1).events, { type: "run-paused", time: "x" }],
    };
    expect((await send(id, token, bad)).status).toBe(400);
    const logs = await server.client.call(listRunLogs, { params: { run_id: String(id) } });
    expect(logs.total).toBe(0);
    expect((await send(id, token, logBatch(1))).status).toBe(200);
  });

  it("register files and forget removed ones", async () => {
    const { id, token } = await startedTraining();
    const file = {
      type: "file-saved",
      time: 1,
      kind: "checkpoint",
      path: "checkpoints/a",
      size: 5,
      sha256: "0".repeat(64),
      step: 10,
    };
    await send(id, token, {
      protocol: 1,
      attempt: 1,
      seq: 1,
      events: [file, { ...file, path: "checkpoints/b" }],
    });
    await send(id, token, {
      protocol: 1,
      attempt: 1,
      seq: 2,
      events: [
        { type: "file-removed", time: 2, path: "checkpoints/a" },
        { ...file, path: "checkpoints/b", size: 7 },
      ],
    });
    const { files, total_size } = await server.client.call(listRunFiles, {
      params: { run_id: String(id) },
    });
    expect(files.map(({ path, removed_at }) => [path, removed_at])).toEqual([
      ["checkpoints/a", 2],
      ["checkpoints/b", null],
    ]);
    expect(total_size).toBe(7);
  });
});

describe("commands", () => {
  it("reach a waiting worker at once and tell what became of them", async () => {
    const { id, token } = await startedTraining();
    const start = { protocol: 1, attempt: 1, seq: 1, events: [{ type: "run-started", time: 1 }] };
    await send(id, token, start);
    const poll = call("GET", `/api/worker/jobs/${id}/commands?attempt=1&wait=30`, token);
    const { command } = await server.client.call(controlTraining, {
      body: { action: "pause", run_id: id },
    });
    const { commands } = (await poll).json as { commands?: { id: number }[] };
    expect(commands).toMatchObject([{ id: command?.id, action: "pause" }]);
    const events = [
      { type: "command-acked", time: 2, command_id: command?.id, outcome: "done", step: 7 },
      { type: "run-paused", time: 2, step: 7, paused: true },
    ];
    await send(id, token, { protocol: 1, attempt: 1, seq: 2, events });
    expect((await server.client.call(getRun, { params: { run_id: String(id) } })).state).toBe(
      "paused",
    );
    const rest = await call("GET", `/api/worker/jobs/${id}/commands?attempt=1`, token);
    expect(rest.json.commands).toEqual([]);
  });
});

describe("a worker's file", () => {
  it("is kept when its bytes are what they were said to be", async () => {
    const { id, token } = await startedTraining();
    const bytes = Buffer.from("weights");
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const put = (name: string) =>
      fetch(`${server.url}/api/worker/jobs/${id}/files/${name}`, {
        method: "PUT",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/octet-stream" },
        body: bytes,
      });
    const good = await put(sha256);
    expect([good.status, await good.json()]).toEqual([201, { sha256, size: 7 }]);
    expect((await put("0".repeat(64))).status).toBe(400);
  });
});

describe("an attempt that is over", () => {
  const others = async (id: number, token: string) => {
    const bytes = Buffer.from("late weights");
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const put = await fetch(`${server.url}/api/worker/jobs/${id}/files/${sha256}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/octet-stream" },
      body: bytes,
    });
    const spec = await call("GET", `/api/worker/jobs/${id}`, token);
    const poll = await call("GET", `/api/worker/jobs/${id}/commands?attempt=1&wait=30`, token);
    const kept = await server.database.read("select sha256 from job_files where sha256 = ?", [
      sha256,
    ]);
    expect(kept).toEqual([]);
    const answer = (await put.json()) as Answer["json"];
    return [put.status, answer.error?.code, ...[spec, poll].map(({ json }) => json.error?.code)];
  };

  it("is superseded for its spec, its files and its commands too", async () => {
    const { id, token } = await startedTraining();
    await openAttempt(id, 2);
    expect(await others(id, token)).toEqual([409, ...Array(3).fill("attempt-superseded")]);
  });

  it("has ended for its spec, its files and its commands too", async () => {
    const { id, token } = await startedTraining();
    await change(sql`update attempts set closed_at = 2e9 where job_id = ${id}`);
    expect(await others(id, token)).toEqual([409, ...Array(3).fill("attempt-ended")]);
  });
});

describe("an own script", () => {
  it("opens a run and sends the same batches with an API token, attempt after attempt", async () => {
    const { id } = await server.client.call(createRun, { body: { name: "my script" } });
    const params = { run_id: String(id) };
    const batch = (attempt: number, seq: number): EventBatchInput => ({
      ...logBatch(seq, attempt),
      attempt,
    });
    await server.client.call(sendRunEvents, { params, body: batch(1, 1) });
    expect(await server.client.call(sendRunEvents, { params, body: batch(1, 1) })).toMatchObject({
      duplicate: true,
    });
    await server.client.call(sendRunEvents, {
      params,
      body: {
        protocol: 1,
        attempt: 1,
        seq: 2,
        events: [
          {
            type: "run-ended",
            time: 3,
            state: "failed",
            error: { kind: "x", message: "broke", hint: null, traceback: null },
          },
        ],
      },
    });
    expect(await server.client.call(getRun, { params })).toMatchObject({
      state: "failed",
      reason: "broke",
    });
    await server.client.call(sendRunEvents, { params, body: batch(2, 1) });
    const again = await server.client.call(getRun, { params });
    expect(again).toMatchObject({ state: "running", ended_at: null });
    expect(again.attempts.map(({ state }) => state)).toEqual(["ended", "running"]);
    await expect(
      server.client.call(sendRunEvents, { params, body: batch(1, 3) }),
    ).rejects.toMatchObject({ code: "attempt-superseded" });
    await expect(
      server.client.call(sendRunEvents, { params, body: batch(9, 1) }),
    ).rejects.toMatchObject({ code: "invalid-request" });
    await expect(
      server.client.call(sendRunEvents, { params, body: batch(3, 2) }),
    ).rejects.toMatchObject({
      code: "invalid-request",
      details: {
        issues: [{ path: "body.attempt", message: "the next attempt is 3, from seq 1 on" }],
      },
    });
    expect((await server.client.call(getRun, { params })).attempts).toHaveLength(2);
  });
});
