// The queue with real workers: side by side where there is room, in the order that people and their roles make, tried
// again after losses, ended by limits. The trainings are programs that sleep: nothing here needs a model.
import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { HttpClient } from "@spotter/client";
import {
  type CreateRun,
  cancelQueued,
  controlTraining,
  createProject,
  createRun,
  createUser,
  getJob,
  getQueue,
  getRun,
  listAudit,
  PRIORITIES,
  type Run,
  reorderQueue,
  setJobPriority,
  signInForToken,
} from "@spotter/contract";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { startTestServer, type TestServer } from "../harness.ts";
import { waitUntil } from "../wait-until.ts";

const ACCOUNT = { name: "bob", password: "another long password" };
const numCores = os.availableParallelism();
/** Two of these fit side by side, three do not. */
const half = Math.max(1, Math.floor(numCores / 2));

let server: TestServer;
let bob: HttpClient;
beforeAll(async () => {
  server = await startTestServer({ hasWorkers: true });
  await server.client.call(createUser, {
    body: { ...ACCOUNT, project_id: 1, role: "member" },
  });
  const { secret } = await server.client.call(signInForToken, {
    body: { ...ACCOUNT, token_name: "test" },
  });
  bob = new HttpClient({ baseUrl: server.url, token: secret });
});
afterEach(endAll);
afterAll(() => server.close());

async function endAll(): Promise<void> {
  const { running, waiting } = await server.client.call(getQueue, {});
  for (const { job_id: runId } of [...waiting, ...running])
    await server.client.call(controlTraining, { body: { action: "cancel", run_id: runId } });
  await waitUntil(
    () =>
      server.database.read<{ n: number }>(
        "select count(*) as n from attempts where state <> 'ended'",
      ),
    ([row]) => Number(row?.n) === 0,
  );
}

type Wish = Pick<z.input<typeof CreateRun>, "priority" | "resources" | "limits">;
async function sleep(wish: Wish = {}, client = server.client): Promise<number> {
  const config = { command: ["sleep", "600"] };
  return (await client.call(createRun, { body: { recipe: "command", config, ...wish } })).id;
}
const queue = (client = server.client) => client.call(getQueue, {});
const waitingIds = async (client = server.client) =>
  (await queue(client)).waiting.map(({ job_id: id }) => id);
const untilRun = (id: number, fits: (run: Run) => boolean, timeoutMs = 60_000) =>
  waitUntil(() => server.client.call(getRun, { params: { run_id: String(id) } }), fits, timeoutMs);
const untilRuns = (id: number) => untilRun(id, ({ state }) => state === "running");
const params = (id: number) => ({ job_id: String(id) });

function attemptFile(id: number, attempt: number, file: string): Record<string, unknown> {
  const folder = path.join(server.home, "runs", String(id), "attempts", String(attempt));
  return JSON.parse(readFileSync(path.join(folder, file), "utf8"));
}

/** Something that holds the whole machine, so that all others wait. */
async function fill(): Promise<number> {
  const id = await sleep();
  await untilRuns(id);
  return id;
}

describe("the queue", { timeout: 180_000 }, () => {
  it.skipIf(numCores < 2)("runs trainings side by side that share the cores", async () => {
    const resources = { cpu_cores: half };
    const [first, second] = [await sleep({ resources }), await sleep({ resources })];
    await untilRuns(first);
    await untilRuns(second);
    const third = await sleep({ resources: { cpu_cores: numCores } });
    await untilRun(third, ({ reason }) => reason !== null);
    const view = await queue();
    expect(view.machine).toMatchObject({ cpu_cores: numCores });
    expect(view.running.map(({ job_id: id }) => id).sort()).toEqual([first, second].sort());
    expect(view.running[0]).toMatchObject({ needs: resources, position: null, owner_name: "ada" });
    const [waits] = view.waiting;
    expect(waits).toMatchObject({ job_id: third, position: 1, starts_at: null });
    expect(waits?.waits_for).toMatchObject({ kind: "resource", resource: "cpu_cores" });
    expect(waits?.reason).toMatch(/^Needs \d+ CPU cores?; runs? \d+/);
    expect(attemptFile(first, 1, "spec.json")).toMatchObject({ num_threads: half });
  });

  it("goes by priority, and says until when the machine is held where a limit tells it", async () => {
    const first = await sleep({ limits: { time_s: 3600 } });
    await untilRuns(first);
    const [normal, high] = [await sleep(), await sleep({ priority: PRIORITIES.high })];
    expect(await waitingIds()).toEqual([high, normal]);
    const [top] = (await queue()).waiting;
    expect(top?.starts_at).toBeGreaterThan(Date.now() / 1000 + 3000);
    expect(top?.waits_for).toMatchObject({ kind: "resource", holders: [first] });
    expect(top?.reason).toMatch(/until about \d\d:\d\d\.$/);

    await server.client.call(setJobPriority, {
      params: params(normal),
      body: { priority: PRIORITIES.urgent },
    });
    expect(await waitingIds()).toEqual([normal, high]);
    const { entries } = await server.client.call(listAudit, { query: {} });
    expect(entries[0]).toMatchObject({
      action: "priority-changed",
      details: { from: 0, to: 2 },
    });
  });

  it("lets a member order and lower the member's own trainings, and no more", async () => {
    const running = await fill();
    const [one, two] = [await sleep({}, bob), await sleep({}, bob)];
    const others = await sleep();
    const order = (jobIds: number[], client = bob) =>
      client.call(reorderQueue, { body: { job_ids: jobIds } });
    const prioritise = (id: number, priority: number) =>
      bob.call(setJobPriority, { params: params(id), body: { priority } });

    const view = await order([two, one]);
    expect(view.waiting.map(({ job_id: id }) => id).filter((id) => id !== others)).toEqual([
      two,
      one,
    ]);
    expect(view.may_reorder_all).toBe(false);
    const may = new Map(view.waiting.map((entry) => [entry.job_id, entry.may]));
    expect(may.get(one)).toMatchObject({ reorder: true, highest_priority: PRIORITIES.normal });
    expect(may.get(others)).toMatchObject({ reorder: false, highest_priority: null });

    await expect(order([others])).rejects.toMatchObject({ code: "role-too-low" });
    await expect(order([one, one])).rejects.toMatchObject({ code: "queue-order-invalid" });
    await expect(order([running], server.client)).rejects.toMatchObject({
      code: "queue-order-invalid",
    });
    await expect(order([999_999])).rejects.toMatchObject({ code: "job-not-found" });
    await expect(prioritise(others, 0)).rejects.toMatchObject({ code: "priority-not-allowed" });
    await expect(prioritise(one, PRIORITIES.high)).rejects.toMatchObject({
      code: "priority-not-allowed",
    });
    await expect(sleep({ priority: PRIORITIES.high }, bob)).rejects.toMatchObject({
      code: "priority-not-allowed",
    });
    expect((await prioritise(two, PRIORITIES.low)).priority).toBe(PRIORITIES.low);
    await expect(order([two, one])).rejects.toMatchObject({ code: "queue-order-invalid" });
  });

  it("lets an administrator put anybody's in order, and shares fairly without that", async () => {
    await fill();
    const mine = [await sleep(), await sleep()];
    const bobs = await sleep({}, bob);
    // Ada holds the machine, so Bob goes first, though he came last.
    expect(await waitingIds()).toEqual([bobs, ...mine]);
    expect((await queue()).has_pinned).toBe(false);
    const view = await server.client.call(reorderQueue, {
      body: { job_ids: [mine[1] as number, bobs] },
    });
    expect(view.waiting.map(({ job_id: id }) => id)).toEqual([mine[1], bobs, mine[0]]);
    expect(view.has_pinned).toBe(true);
    expect((await queue(bob)).has_pinned).toBe(true);
    const { entries } = await server.client.call(listAudit, { query: {} });
    expect(entries[0]).toMatchObject({ action: "queue-reordered" });
  });

  it("refuses what could never start here, and wishes for what is not started here", async () => {
    await expect(sleep({ resources: { cpu_cores: 4096 } })).rejects.toMatchObject({
      code: "resources-not-there",
      message: expect.stringContaining(`this machine has ${numCores}`),
    });
    await expect(server.client.call(createRun, { body: { priority: 1 } })).rejects.toMatchObject({
      code: "invalid-request",
    });
    const id = await sleep();
    await server.client.call(controlTraining, { body: { action: "cancel", run_id: id } });
    await untilRun(id, ({ ended_at: ended }) => ended !== null);
    await expect(
      server.client.call(setJobPriority, { params: params(id), body: { priority: 1 } }),
    ).rejects.toMatchObject({ code: "job-ended" });
  });

  it("says to all behind the first where they stand, and of whom no end is known", async () => {
    const running = await fill();
    const line = [await sleep({ limits: { time_s: 60 } }), await sleep(), await sleep()];
    const unknown = await queue();
    const [first, second] = unknown.waiting;
    expect(first?.waits_for).toMatchObject({ kind: "resource", holders: [running] });
    expect(second?.waits_for).toMatchObject({
      ...{ kind: "behind", holders: [line[0]], until: null, unknown: running },
    });
    expect(second?.reason).toBe(
      `Place 2 in line, behind run ${line[0]}; when is unknown: run ${running} has no estimate yet.`,
    );
    const stored = await untilRun(line[1] as number, ({ reason }) => reason !== null);
    expect(stored.reason).toBe("Waits in line behind earlier trainings.");

    const end = Date.now() / 1000 + 600;
    await server.database.transaction((transaction) =>
      sql`update attempts set expected_end = ${end} where job_id = ${running}`.execute(transaction),
    );
    const known = (await queue()).waiting;
    expect(known[0]?.starts_at).toBeCloseTo(end, 0);
    // The first is over by its limit then; nobody knows how long the second takes.
    expect(known[1]?.starts_at).toBeCloseTo(end + 60, 0);
    expect(known[1]?.reason).toMatch(
      /^Place 2 in line, behind run \d+; starts at about \d\d:\d\d\.$/,
    );
    expect(known[2]).toMatchObject({ starts_at: null, waits_for: { unknown: line[1] } });
  });

  it("names no run of a project that the reader is not in", async () => {
    const { id: projectId } = await server.client.call(createProject, { body: { name: "secret" } });
    const config = { command: ["sleep", "600"] };
    const { id: hidden } = await server.client.call(createRun, {
      body: { recipe: "command", config, project_id: projectId },
    });
    await untilRuns(hidden);
    const own = await sleep({}, bob);
    const stored = await untilRun(own, ({ reason }) => reason !== null);
    expect(stored.reason).toMatch(/which others hold\.$/);
    const [waits] = (await queue(bob)).waiting;
    expect(waits?.waits_for).toMatchObject({ holders: [], hidden_holders: 1, unknown: null });
    expect(JSON.stringify(waits)).not.toContain(`run ${hidden}`);
    // Who is in that project reads it.
    expect((await queue()).waiting[0]?.waits_for).toMatchObject({ holders: [hidden] });
  });

  it("takes several out of the queue at once, each by itself", async () => {
    const running = await fill();
    const [one, two] = [await sleep({}, bob), await sleep()];
    const cancel = (jobIds: number[], client = bob) =>
      client.call(cancelQueued, { body: { job_ids: jobIds } });
    const { results, queue: left } = await cancel([one, running, 999_999, two, one]);
    expect(results.map(({ job_id: id, cancelled, code }) => [id, cancelled, code])).toEqual([
      [one, true, null],
      [running, false, "job-not-waiting"],
      [999_999, false, "job-not-found"],
      [two, true, null],
    ]);
    expect(left.waiting).toEqual([]);
    expect((await untilRun(two, ({ state }) => state === "cancelled")).ended_at).not.toBeNull();
    const { entries } = await server.client.call(listAudit, { query: {} });
    expect(entries[0]).toMatchObject({ action: "run-controlled", details: { action: "cancel" } });
  });

  it("keeps one whole order where two come at once", async () => {
    await fill();
    const ids: number[] = [];
    for (let count = 0; count < 4; count++) ids.push(await sleep({}, bob));
    const [a, b, c, d] = ids as [number, number, number, number];
    const order = (jobIds: number[]) => bob.call(reorderQueue, { body: { job_ids: jobIds } });
    await Promise.all([order([d, a]), order([c, d]), order([b, d, a])]);
    const places = await server.database.read<{ place: number | null; id: number }>(
      "select id, place from jobs where state = 'queued'",
    );
    const taken = places.map(({ id, place }) => Number(place ?? id));
    expect(new Set(taken).size).toBe(ids.length);
    expect(taken.sort()).toEqual([...ids].sort());
  });

  it("tries a lost attempt again after a pause, until its attempts are used up", async () => {
    const id = await sleep({ limits: { attempts: 2 } });
    const kill = (attempt: number) =>
      process.kill(attemptFile(id, attempt, "supervisor.json").worker_pid as number, "SIGKILL");
    await untilRuns(id);
    kill(1);
    const again = await untilRun(id, ({ state }) => state === "queued");
    expect(again.reason).toMatch(/^Attempt 1 of 2 was lost and is made good .*SIGKILL/);
    expect((await queue()).waiting[0]?.waits_for).toMatchObject({ kind: "retry" });
    await untilRun(id, ({ state, attempts }) => state === "running" && attempts.length === 2);
    kill(2);
    const failed = await untilRun(id, ({ state }) => state === "failed");
    expect(failed.reason).toMatch(/^Lost in all of its 2 attempts/);
    expect(failed.error?.kind).toBe("worker-lost");
    const job = await server.client.call(getJob, { params: params(id) });
    expect(job).toMatchObject({ limits: { attempts: 2 }, state: "failed" });
  });

  it("lets a paused training that was lost come back paused, and go on when it is told", async () => {
    const config = { epochs: 5000, width: 8, checkpoint_every_steps: 5 };
    const body = { recipe: "vision" as const, config, limits: { attempts: 2 } };
    const { id } = await server.client.call(createRun, { body });
    const tell = (action: "pause" | "resume") =>
      server.client.call(controlTraining, { body: { action, run_id: id } });
    await untilRuns(id);
    await tell("pause");
    await untilRun(id, ({ state }) => state === "paused");
    process.kill(attemptFile(id, 1, "supervisor.json").worker_pid as number, "SIGKILL");
    const lost = await untilRun(id, ({ state }) => state === "queued");
    expect(lost.reason).toMatch(/^Attempt 1 of 2 was lost while paused, and comes back paused/);
    const back = await untilRun(
      id,
      ({ state, attempts }) => state === "paused" && attempts.length === 2,
      120_000,
    );
    const { entries } = await server.client.call(listAudit, { query: {} });
    expect(entries.find(({ action }) => action === "run-paused-again")).toMatchObject({
      ...{ subject_id: id, details: { attempt: 2 } },
    });
    await tell("resume");
    const step = back.last_step ?? 0;
    await untilRun(id, ({ state, last_step }) => state === "running" && (last_step ?? 0) > step);
  });

  it("stops a program that runs longer than its limit, and says so", async () => {
    const id = await sleep({ limits: { time_s: 2 } });
    const run = await untilRun(id, ({ ended_at: ended }) => ended !== null);
    expect(run.reason).toContain("ran longer than its limit");
    expect(run.config.time_limit_minutes).toBeCloseTo(2 / 60);
  });

  it("stops a training that runs longer than its limit, and says so", async () => {
    const config = { epochs: 5000, width: 8 };
    const limits = { time_s: 8 };
    const body = { recipe: "vision" as const, config, limits };
    const { id } = await server.client.call(createRun, { body });
    const run = await untilRun(
      id,
      ({ ended_at: ended, reason }) => ended !== null && reason !== null,
      120_000,
    );
    expect(run.reason).toContain("ran longer than its limit of 8 s");
    // On a busy machine the time may be over before the training has begun.
    expect(["stopped", "failed"]).toContain(run.state);
  });
});
