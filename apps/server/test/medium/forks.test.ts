// Forks through the whole server with real workers: proved by their weights, refused by name, kept from the collector.
import { existsSync, readdirSync, rmSync, truncateSync } from "node:fs";
import path from "node:path";
import {
  controlTraining,
  createForks,
  createRun,
  deleteRun,
  type ForkRequest,
  getJob,
  getLineage,
  getQueue,
  getRun,
  listAudit,
  listRunFiles,
  listRunLogs,
  listRuns,
  previewForks,
  type Run,
  type RunFile,
  restoreRun,
} from "@spotter/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { startTestServer, type TestServer } from "../harness.ts";
import { waitUntil } from "../wait-until.ts";

/** Eleven steps an epoch; the seventh, the fourteenth, … are saved too. */
const CONFIG = {
  ...{ epochs: 3, width: 8, batch_size: 128, dropout: 0.3, augment: "standard" },
  ...{ checkpoint_every_epochs: 1, checkpoint_every_steps: 7, keep_checkpoints: 20 },
};
const MIDDLE = 14;

describe("forks", { timeout: 240_000 }, () => {
  let server: TestServer;
  let parent: Run;

  beforeAll(async () => {
    server = await startTestServer({ hasWorkers: true });
    const made = await server.client.call(createRun, {
      body: { recipe: "vision", config: CONFIG, name: "parent" },
    });
    parent = await untilEnded(made.id);
    expect(parent.state).toBe("finished");
  }, 240_000);

  afterAll(async () => {
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
    await server.close();
  });

  const params = (runId: number) => ({ run_id: String(runId) });
  const untilEnded = (id: number): Promise<Run> =>
    waitUntil(
      () => server.client.call(getRun, { params: params(id) }),
      ({ ended_at }) => ended_at !== null,
      120_000,
    );
  const fork = (runId: number, body: z.input<typeof ForkRequest>) =>
    server.client.call(createForks, { params: params(runId), body });
  const files = async (runId: number): Promise<readonly RunFile[]> =>
    (await server.client.call(listRunFiles, { params: params(runId) })).files;
  const weights = async (runId: number) =>
    (await files(runId)).find(({ kind }) => kind === "weights")?.sha256;
  const logOf = async (runId: number) => {
    const { lines } = await server.client.call(listRunLogs, { params: params(runId) });
    return lines.map(({ text }) => text);
  };
  const refusal = (runId: number, body: z.input<typeof ForkRequest>) =>
    server.client.call(previewForks, { params: params(runId), body }).then(
      () => expect.unreachable("the fork was not refused"),
      (error: { code: string; status: number; message: string; details: object }) => error,
    );

  it("without a change reproduce their parent bit for bit, from the middle of an epoch", async () => {
    const { plan, runs } = await fork(parent.id, { checkpoint: MIDDLE });
    expect(plan.warnings.map(({ code }) => code)).toEqual(["repeats-parent"]);
    const [made] = runs as [Run];
    expect(made).toMatchObject({
      state: "queued",
      name: `parent-fork-${made.id}`,
      parent_id: parent.id,
      fork: { parent_id: parent.id, step: MIDDLE, changes: [] },
    });
    const ended = await untilEnded(made.id);
    expect(ended).toMatchObject({ state: "finished", best: parent.best });
    expect(ended.attempts[0]?.first_step).toBe(MIDDLE + 1);
    expect(await weights(made.id)).toBe(await weights(parent.id));
    const told = await logOf(made.id);
    expect(told).toContain(`fork: of run ${parent.id}, from its checkpoint of step ${MIDDLE}`);
    expect(told.filter((line) => /^fork: .*: kept, /.test(line))).toHaveLength(5);
  });

  it("train with the changed values, say so in the log, and stand in the lineage", async () => {
    const { plan, runs } = await fork(parent.id, {
      checkpoint: "best",
      keep: { scheduler: false },
      changes: { learning_rate: 0.001, weight_decay: 0.1, epochs: 4 },
      name: "lower rate",
    });
    const [made] = runs as [Run];
    expect(plan.total_steps).toBe(44);
    const ended = await untilEnded(made.id);
    expect(ended).toMatchObject({ state: "finished", config: { learning_rate: 0.001 } });
    const told = await logOf(made.id);
    expect(told).toContain("fork: learning_rate 0.003 → 0.001: in force (schedule)");
    expect(told).toContain("fork: weight_decay 0.01 → 0.1: in force (AdamW's groups)");
    const lineage = await server.client.call(getLineage, { params: params(made.id) });
    const own = lineage.runs.find(({ id }) => id === made.id);
    expect(lineage.runs[0]).toMatchObject({ id: parent.id, fork: null });
    expect(own?.fork).toMatchObject({
      parent_id: parent.id,
      keep: { optimizer: true, scheduler: false, rng: true, data_position: true },
    });
    expect(own?.best).toEqual(ended.best);
    const { entries } = await server.client.call(listAudit, {});
    expect(entries).toContainEqual(
      expect.objectContaining({ action: "run-forked", subject_id: parent.id }),
    );
  });

  it("keep the files that a waiting fork needs, and its own forks know their grandparent", async () => {
    // While the first trains the second waits; meanwhile the parent loses what both need.
    const { runs } = await fork(parent.id, { checkpoint: 21, seeds: 2, changes: { epochs: 40 } });
    const [first, second] = runs as [Run, Run];
    expect([first.config.seed, second.config.seed]).toEqual([1, 2]);
    expect(first.name).not.toBe(second.name);
    const folder = path.join(server.home, "runs", String(parent.id), "checkpoints/step-00000021");
    rmSync(folder, { recursive: true });
    await waitUntil(
      () => server.client.call(getRun, { params: params(first.id) }),
      ({ progress }) => (progress?.step ?? 0) > 33,
      120_000,
    );
    const stop = (id: number) =>
      server.client.call(controlTraining, { body: { action: "stop", run_id: id } });
    await stop(first.id);
    expect(await untilEnded(first.id)).toMatchObject({ state: "stopped", error: null });
    await waitUntil(
      () => server.client.call(getRun, { params: params(second.id) }),
      ({ progress }) => (progress?.step ?? 0) > 21,
      120_000,
    );
    await stop(second.id);
    expect(await untilEnded(second.id)).toMatchObject({ state: "stopped", error: null });
    const again = await fork(first.id, { checkpoint: "last", changes: { dropout: 0 } });
    const grandchild = (again.runs as [Run])[0];
    const { runs: family } = await server.client.call(getLineage, {
      params: params(grandchild.id),
    });
    const line = [grandchild.id, first.id, parent.id];
    expect(family.map(({ id }) => id)).toEqual(expect.arrayContaining(line));
    await server.client.call(controlTraining, {
      body: { action: "cancel", run_id: grandchild.id },
    });
    await untilEnded(grandchild.id);
  });

  it("are refused by name, and nothing is made of them", async () => {
    const before = (await server.client.call(listRuns, {})).total;
    const unknown = await refusal(parent.id, { checkpoint: 13 });
    expect(unknown).toMatchObject({ code: "checkpoint-not-found", status: 404 });
    expect((unknown.details as { steps: number[] }).steps).toContain(MIDDLE);
    const wrongKey = await refusal(parent.id, { changes: { learningrate: 1 } });
    expect(wrongKey).toMatchObject({ code: "config-invalid", status: 400 });
    expect(wrongKey.message).toContain("learningrate");
    const shape = await refusal(parent.id, { checkpoint: 7, changes: { width: 16 } });
    expect(shape).toMatchObject({ code: "fork-change-not-allowed", status: 400 });
    await expect(fork(parent.id, { checkpoint: "last" })).rejects.toMatchObject({
      code: "fork-without-steps",
      status: 409,
    });
    expect(
      await refusal(parent.id, { checkpoint: 7, seeds: 2, keep: { rng: true } }),
    ).toMatchObject({ code: "fork-cannot-keep", status: 409 });
    const checkpoint = path.join(server.home, "runs", String(parent.id), "checkpoints");
    truncateSync(path.join(checkpoint, "step-00000028/optimizer.pt"), 100);
    const torn = await refusal(parent.id, { checkpoint: 28 });
    expect(torn).toMatchObject({ code: "checkpoint-damaged", status: 409 });
    expect(torn.message).toContain("optimizer.pt has 100 bytes");
    await expect(fork(parent.id, { checkpoint: 28 })).rejects.toMatchObject({
      code: "checkpoint-damaged",
    });
    expect((await server.client.call(listRuns, {})).total).toBe(before);
  });

  it("are not for scripts and programs of one's own, nor for runs without a checkpoint", async () => {
    const script = await server.client.call(createRun, { body: { name: "script" } });
    expect(await refusal(script.id, {})).toMatchObject({ code: "fork-not-possible", status: 409 });
    await server.client.call(controlTraining, { body: { action: "stop", run_id: script.id } });
    const program = await server.client.call(createRun, {
      body: { recipe: "command", config: { command: ["true"] } },
    });
    expect(await refusal(program.id, {})).toMatchObject({ code: "fork-not-possible" });
    await untilEnded(program.id);
  });

  it("made twice with one client id are made once", async () => {
    const asked = { priority: -1, resources: { cpu_cores: 1 }, limits: { attempts: 2 } };
    const wish = {
      ...{ checkpoint: 7, changes: { dropout: 0.1 }, seeds: 2, client_id: "form-0001" },
      ...asked,
    };
    // The second press of the button comes before the first is answered.
    const [first, atOnce] = await Promise.all([fork(parent.id, wish), fork(parent.id, wish)]);
    const later = await fork(parent.id, wish);
    // Its run has removed the checkpoint since, as its policy may: the answer is the same.
    const folder = path.join(server.home, "runs", String(parent.id), "checkpoints/step-00000007");
    rmSync(folder, { recursive: true });
    const afterPruning = await fork(parent.id, wish);
    for (const again of [atOnce, later, afterPruning]) {
      expect(again.runs.map(({ id }) => id)).toEqual(first.runs.map(({ id }) => id));
      expect(again.plan.checkpoint.step).toBe(7);
    }
    const script = await server.client.call(createRun, {
      body: { name: "another", client_id: "form-0002#1" },
    });
    await expect(
      fork(parent.id, { checkpoint: MIDDLE, client_id: "form-0002" }),
    ).rejects.toMatchObject({ code: "invalid-request" });
    await server.client.call(controlTraining, { body: { action: "stop", run_id: script.id } });
    for (const { id } of first.runs) {
      const job = await server.client.call(getJob, { params: { job_id: String(id) } });
      // Its own wishes, each one's, and not its parent's.
      expect(job).toMatchObject({ priority: -1, limits: { attempts: 2 } });
      await server.client.call(controlTraining, { body: { action: "cancel", run_id: id } });
      await untilEnded(id);
    }
  });

  it("ask for nothing that the machine does not have", async () => {
    const wish = { changes: { epochs: 40 }, resources: { cpu_cores: 4096 } };
    await expect(fork(parent.id, wish)).rejects.toMatchObject({ code: "resources-not-there" });
  });

  it("of a deleted run are refused, and what no fork needs is removed", async () => {
    await server.client.call(deleteRun, { params: params(parent.id) });
    expect(await refusal(parent.id, {})).toMatchObject({ code: "run-state-conflict" });
    await server.client.call(restoreRun, { params: params(parent.id) });
    const kept = path.join(server.home, "forks");
    const held = readdirSync(kept);
    expect(held.length).toBeGreaterThan(0);
    await server.app.sweep();
    expect(readdirSync(kept).sort()).toEqual(held.sort());
    expect(existsSync(path.join(kept, held[0] ?? ""))).toBe(true);
  });
});
