// Pre-flights through the whole server with real workers: a report, its growth, its refusals, its end on request.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { followPreflight } from "@spotter/client";
import {
  cancelPreflight,
  createRun,
  getPreflight,
  getQueue,
  getRun,
  listRuns,
  PreflightReport,
  predictWithRun,
  startPreflight,
} from "@spotter/contract";
import { describe, expect, it, onTestFinished } from "vitest";
import { startTestServer, type TestServer } from "../harness.ts";
import { waitUntil } from "../wait-until.ts";

const TINY = { width: 4, batch_size: 16, epochs: 1 };

async function serverWithWorkers(dataRoot = tmpdir()): Promise<TestServer> {
  const env = { SPOTTER_DATA_ROOTS: dataRoot };
  const server = await startTestServer({ hasWorkers: true, env });
  onTestFinished(async () => {
    await waitUntil(
      () =>
        server.database.read<{ n: number }>(
          `select count(*) as n from attempts join jobs on jobs.id = attempts.job_id
           where attempts.state <> 'ended' and jobs.kind = 'preflight'`,
        ),
      ([row]) => Number(row?.n) === 0,
    );
    await server.close();
  });
  return server;
}

describe("a pre-flight", { timeout: 180_000 }, () => {
  it("tells part by part what a training would meet, and is no run", async () => {
    const server = await serverWithWorkers();
    const looks = [];
    const request = { recipe: "vision", config: TINY, budget_s: 2 } as const;
    for await (const look of followPreflight(server.client, request)) looks.push(look);
    const end = looks.at(-1);
    expect(end).toMatchObject({ state: "finished", reason: null });
    const report = PreflightReport.parse(end?.report);
    expect(report.now).toBeNull();
    expect(report.done).toEqual(
      expect.arrayContaining(["build", "samples", "data", "initial-loss", "memory", "time"]),
    );
    expect(report.initial_loss).toMatchObject({ formula: "ln 10", is_pretrained: false });
    expect(report.samples[0]).toMatchObject({ kind: "image", width: 8 });
    expect(report.data?.parts.map(({ name }) => name)).toEqual(["train", "validation", "test"]);
    expect(report.findings.length).toBeGreaterThan(3);
    expect((await server.client.call(listRuns, {})).total).toBe(0);
  });

  it("leaves out what trains for a while where only the free looks are asked for", async () => {
    const { client } = await serverWithWorkers();
    const looks = [];
    const request = { recipe: "vision", config: TINY, budget_s: 2, trials: false } as const;
    for await (const look of followPreflight(client, request)) looks.push(look);
    const report = PreflightReport.parse(looks.at(-1)?.report);
    expect(report.done).toEqual(["build", "samples", "data", "initial-loss", "memory", "time"]);
    expect([report.learning_rate, report.overfit]).toEqual([null, null]);
  });

  it("says what is wrong with the data instead of failing", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "spotter-preflight-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    for (const name of ["cat", "dog"]) {
      mkdirSync(path.join(folder, name));
      writeFileSync(path.join(folder, name, "1.png"), "no picture");
    }
    const server = await serverWithWorkers(folder);
    const { job_id } = await server.client.call(startPreflight, {
      query: { wait: "60" },
      body: { recipe: "vision", config: { ...TINY, data: { path: folder } } },
    });
    const end = await waitUntil(
      () => server.client.call(getPreflight, { params: { job_id }, query: { wait: "30" } }),
      ({ state }) => state === "finished",
    );
    const report = PreflightReport.parse(end.report);
    expect(report.verdict).toBe("problem");
    // Once: what names the broken files says why the training would fail.
    expect(report.findings.map(({ code }) => code)).toEqual(["files-broken"]);
    expect(report.data?.broken).toHaveLength(2);
  });

  it("does not hold up predictions, however long it looks", async () => {
    const { client } = await serverWithWorkers();
    const run = await client.call(createRun, { body: { recipe: "vision", config: TINY } });
    const params = { run_id: String(run.id) };
    await waitUntil(
      () => client.call(getRun, { params }),
      ({ state }) => state === "finished",
    );
    const { job_id } = await client.call(startPreflight, {
      body: { recipe: "vision", config: TINY, budget_s: 300 },
    });
    const answer = await client.call(predictWithRun, { params, body: { test_samples: 1 } });
    expect(answer.predictions).toHaveLength(1);
    await client.call(cancelPreflight, { params: { job_id } });
  });

  it("is ended on request, and refuses what a run would refuse", async () => {
    const server = await serverWithWorkers();
    const { client } = server;
    const { job_id } = await client.call(startPreflight, {
      body: { recipe: "vision", config: TINY, budget_s: 300 },
    });
    const queue = await client.call(getQueue, {});
    expect([...queue.running, ...queue.waiting]).toContainEqual(
      expect.objectContaining({ job_id, kind: "preflight" }),
    );
    await client.call(cancelPreflight, { params: { job_id } });
    const ended = await waitUntil(
      () => client.call(getPreflight, { params: { job_id }, query: { wait: "5" } }),
      ({ state }) => state === "stopped" || state === "cancelled",
    );
    expect(ended.job_id).toBe(job_id);

    // One person's waiting ones are counted: others want to predict meanwhile.
    const begin = () =>
      client.call(startPreflight, { body: { recipe: "vision", config: TINY, budget_s: 300 } });
    const begun: number[] = [];
    const tooMany = await (async () => {
      for (let number = 0; number < 30; number += 1) begun.push((await begin()).job_id);
    })().catch((error: unknown) => error);
    expect(tooMany).toMatchObject({ code: "too-many-requests", status: 429 });
    expect(begun.length).toBeGreaterThanOrEqual(20);
    // The last first: none of those that wait begins meanwhile.
    for (const id of begun.reverse())
      await client.call(cancelPreflight, { params: { job_id: id } });

    const refused = (body: object) =>
      client.call(startPreflight, { body: { recipe: "vision", ...body } });
    await expect(refused({ config: { width: 1 } })).rejects.toMatchObject({
      code: "config-invalid",
    });
    await expect(refused({ config: { data: { path: "/nowhere" } } })).rejects.toMatchObject({
      status: expect.toSatisfy((status: number) => status === 403 || status === 404),
    });
    const run = await client.call(createRun, { body: { name: "no pre-flight" } });
    await expect(client.call(getPreflight, { params: { job_id: run.id } })).rejects.toMatchObject({
      code: "preflight-not-found",
    });
  });
});
