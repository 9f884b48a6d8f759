// Model versions over HTTP: registered by a run's end, found, staged, rolled back, kept when their run is purged.
import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import {
  createModelVersion,
  createProject,
  createRun,
  deleteModelVersion,
  deleteRun,
  downloadModelVersion,
  findModelVersions,
  getModel,
  getModelVersion,
  type ListModelVersionsQuery,
  listAudit,
  listModelMetricNames,
  listModels,
  listModelVersions,
  type ModelVersion,
  registerModelVersion,
  restoreModelVersion,
  rollBackModel,
  updateModel,
  updateModelVersion,
} from "@spotter/contract";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { ModelsStore } from "../../src/domains/models/store.ts";
import type { QueueService } from "../../src/domains/queue/index.ts";
import { ForkOrigins } from "../../src/domains/runs/fork-origins.ts";
import { ForksStore } from "../../src/domains/runs/forks-store.ts";
import { Purge } from "../../src/domains/runs/purge.ts";
import { RunsStore } from "../../src/domains/runs/store.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { Log } from "../../src/platform/log.ts";
import { Outbox } from "../../src/platform/outbox.ts";
import { sha256, startFakeTraining } from "../fake-training.ts";
import { startTestServer, type TestServer } from "../harness.ts";
import { waitUntil } from "../wait-until.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const find = async (query: z.input<typeof ListModelVersionsQuery>) =>
  (await server.client.call(findModelVersions, { query })).versions;
const params = (version: { id: number }) => ({ params: { version_id: version.id } });

/** Trains and waits until the weights are kept. */
async function trained(modelName: string, metrics: Record<string, number | "NaN"> = {}) {
  const run = await startFakeTraining(server, { modelName });
  await run.finish({ metrics });
  return kept(run.id);
}

async function kept(runId: number): Promise<ModelVersion> {
  const [version] = await waitUntil(
    () => find({ run_id: String(runId) }),
    ([found]) => found !== undefined && found.storage !== "storing",
  );
  if (version === undefined) throw new Error(`run ${runId} has no version`);
  return version;
}

const stage = (version: { id: number }, to: ModelVersion["stage"]) =>
  server.client.call(updateModelVersion, { ...params(version), body: { stage: to } });

describe("a finished run", () => {
  it("becomes a version with everything that says where it comes from", async () => {
    const version = await trained("origins", { "test/accuracy": 0.98, "test/loss": "NaN" });
    expect(version).toMatchObject({
      name: "origins",
      version: 1,
      recipe: "vision",
      metrics: { "test/accuracy": 0.98, "test/loss": "NaN" },
      config: { epochs: 2 },
      data: { source: { builtin: "digits" }, name: "digits" },
      parent: null,
      code_revision: { revision: "abc123", dirty: true },
      weights: { path: "model.safetensors", sha256: sha256(`weights of ${version.run_id}`) },
      ...{ format: "safetensors", storage: "stored", stage: "none", num_parameters: 1234 },
      ...{ classes: ["0", "1"], created_by_name: "ada", latency_ms: null },
    });
    const { files } = await server.client.call(getModelVersion, params(version));
    expect(files.map((file) => file.path)).toEqual([
      "model.json",
      "model.safetensors",
      "tokenizer/words.json",
    ]);
    const next = await trained("origins");
    expect(next.version).toBe(2);
  });

  it("is registered once, whatever is repeated", async () => {
    const run = await startFakeTraining(server, { modelName: "once" });
    await run.finish();
    expect(await run.repeat()).toMatchObject({ duplicate: true });
    await run.send([{ type: "run-ended", time: 4, state: "finished" }]);
    const again = await server.client.call(registerModelVersion, { body: { run_id: run.id } });
    expect(again.version).toBe(1);
    expect(await find({ run_id: String(run.id) })).toHaveLength(1);
    const next = await startFakeTraining(server, { modelName: "Once" });
    await next.finish();
    expect((await kept(next.id)).version).toBe(2);
  });

  it("that was stopped becomes one on demand, and a failed one has nothing to give", async () => {
    const stopped = await startFakeTraining(server, { modelName: "on demand" });
    await stopped.finish({ state: "stopped" });
    expect(await find({ run_id: String(stopped.id) })).toEqual([]);
    const made = await server.client.call(registerModelVersion, {
      body: { run_id: stopped.id, name: "by hand", note: "half way", tags: ["early"] },
    });
    expect(made).toMatchObject({ name: "by hand", version: 1, note: "half way", tags: ["early"] });
    const other = await server.client.call(createModelVersion, {
      params: { model_id: made.model_id },
      body: { run_id: (await trained("elsewhere")).run_id },
    });
    expect(other).toMatchObject({ name: "by hand", version: 2 });

    const failed = await startFakeTraining(server);
    const body = { run_id: failed.id };
    await expect(server.client.call(registerModelVersion, { body })).rejects.toMatchObject({
      code: "run-state-conflict",
    });
    await failed.send([{ type: "run-ended", time: 1, state: "failed" }]);
    await expect(server.client.call(registerModelVersion, { body })).rejects.toMatchObject({
      code: "no-weights",
    });
  });

  it("is nothing for another recipe to go on from, and that is said before anything is queued", async () => {
    const images = await trained("images");
    const config = { init_from: { model_version: images.id } };
    const asked = server.client.call(createRun, { body: { recipe: "concept", config } });
    await expect(asked).rejects.toMatchObject({
      code: "config-invalid",
      message:
        "config.init_from: images v1 was trained by vision; concept goes on from versions of concept",
    });
    expect(await find({ recipe: "vision,text-lm", q: "images" })).toHaveLength(1);
    expect(await find({ recipe: "text-classify,text-lm", q: "images" })).toHaveLength(0);
    await expect(find({ recipe: "visions" })).rejects.toMatchObject({ code: "invalid-request" });
  });

  it("names the version that it began from", async () => {
    const parent = await trained("family");
    const run = await startFakeTraining(server, { modelName: "family" });
    await run.send([
      {
        ...{ type: "run-started", time: 1, versions: {} },
        config: { init_from: { model_version: parent.id } },
      },
      {
        ...{ type: "file-saved", time: 2, kind: "weights", path: "weights/model.safetensors" },
        ...{ size: 1, sha256: sha256("child"), label: "final" },
      },
      { type: "run-ended", time: 3, state: "finished" },
    ]);
    const [child] = await find({ run_id: String(run.id) });
    expect(child?.parent).toEqual({
      ...{ id: parent.id, model_id: parent.model_id, name: "family", version: 1 },
    });
    const { children } = await server.client.call(getModelVersion, params(parent));
    expect(children).toMatchObject([{ version: 2, run_id: run.id }]);
  });

  it("whose weights vanish before they are kept says so, and cannot serve", async () => {
    const run = await startFakeTraining(server, { modelName: "gone" });
    await run.send([
      {
        ...{ type: "file-saved", time: 2, kind: "weights", path: "weights/model.safetensors" },
        ...{ size: 1, sha256: sha256("never written"), label: "final" },
      },
      { type: "run-ended", time: 3, state: "finished" },
    ]);
    const version = await kept(run.id);
    expect(version.storage).toBe("missing");
    await expect(stage(version, "production")).rejects.toMatchObject({
      code: "model-version-not-ready",
    });
    await expect(download(version)).rejects.toMatchObject({ code: "model-version-not-ready" });
  });
});

const download = (version: ModelVersion, file?: string) =>
  server.client.request(downloadModelVersion, {
    params: { version_id: version.id },
    query: { path: file },
  });

describe("kept weights", () => {
  it("are downloaded as a zip or file by file, and nothing else is", async () => {
    const version = await trained("downloads");
    const zip = await download(version);
    expect(zip.headers.get("content-disposition")).toContain("downloads-v1.zip");
    expect(
      Buffer.from(await zip.arrayBuffer())
        .subarray(0, 2)
        .toString(),
    ).toBe("PK");
    const weights = await download(version, "model.safetensors");
    expect(await weights.text()).toBe(`weights of ${version.run_id}`);
    await expect(download(version, "../../spotter.db")).rejects.toMatchObject({
      code: "file-not-found",
    });
  });

  it("outlive the purge of their run, which waits until they are kept", async () => {
    const version = await trained("survivor");
    const { run_id: runId } = version;
    const runFolder = path.join(server.home, "runs", String(runId));
    await server.client.call(deleteRun, { params: { run_id: runId } });
    const sweep = sweeperOf(server);
    const keep = async (storage: string) => {
      const change = sql`update model_versions set storage = ${storage} where id = ${version.id}`;
      await server.database.transaction((transaction) => change.execute(transaction));
    };
    await keep("storing");
    expect(await sweep()).not.toContain(runId);
    expect(existsSync(runFolder)).toBe(true);
    await keep("stored");
    expect(await sweep()).toContain(runId);
    expect(existsSync(runFolder)).toBe(false);
    expect(await find({ run_id: String(runId) })).toMatchObject([{ id: version.id }]);
    const answer = await download(version, "model.safetensors");
    expect(await answer.text()).toBe(`weights of ${runId}`);
    const folder = path.join(server.home, "models", String(version.id));
    expect(readFileSync(path.join(folder, "tokenizer", "words.json"), "utf8")).toBe("[]");
  });
});

/** The purge of runs, eight days later. */
function sweeperOf({ database, home }: TestServer): () => Promise<number[]> {
  const log = new Log({ level: "error", format: "json", write: () => undefined });
  const purge = new Purge({
    ...{ log, now: () => Date.now() / 1000 + 8 * 86_400 },
    store: new RunsStore(database),
    forks: new ForksStore(database),
    origins: new ForkOrigins(home),
    outbox: new Outbox({ database, clock: systemClock, log }),
    queue: {
      removeFiles: (id: number) =>
        rm(path.join(home, "runs", String(id)), { recursive: true, force: true }),
      endedLightJobs: () => Promise.resolve([]),
    } as unknown as QueueService,
    held: (runIds) => new ModelsStore(database).holding(runIds),
  });
  return () => purge.sweep();
}

describe("the search for versions", () => {
  it("bounds and sorts by a metric; what lacks it comes last or not at all", async () => {
    const values = [0.5, 0.9, "NaN", 0.7] as const;
    for (const value of values) await trained("search", { "test/accuracy": value });
    await trained("search");
    const sorted = async (query: z.input<typeof ListModelVersionsQuery>) =>
      (await find({ q: "search", ...query })).map(({ version }) => version);
    const sort = "metric:test/accuracy";
    expect(await sorted({ sort })).toEqual([2, 4, 1, 5, 3]);
    expect(await sorted({ sort, direction: "asc" })).toEqual([1, 4, 2, 5, 3]);
    const metric = "test/accuracy";
    expect(await sorted({ metric, min: "0.7", direction: "asc" })).toEqual([2, 4]);
    expect(await sorted({ metric, max: "0.6" })).toEqual([1]);
    expect(await sorted({ sort, limit: "2", offset: "1" })).toEqual([4, 1]);
    const { names } = await server.client.call(listModelMetricNames, { query: { q: "accur" } });
    expect(names).toEqual(["test/accuracy"]);
    await expect(find({ metric, min: "much" })).rejects.toMatchObject({ code: "invalid-request" });
  });

  it("filters by tag, stage and text", async () => {
    const one = await trained("filters");
    const two = await trained("filters");
    await server.client.call(updateModelVersion, {
      ...params(one),
      body: { note: "The Needle", tags: ["hay", "50%"] },
    });
    await stage(two, "staging");
    const ids = async (query: z.input<typeof ListModelVersionsQuery>) =>
      (await find(query)).map(({ id }) => id);
    expect(await ids({ tag: "hay" })).toEqual([one.id]);
    expect(await ids({ tag: "ha" })).toEqual([]);
    expect(await ids({ q: "needle" })).toEqual([one.id]);
    expect(await ids({ q: "filters", stage: "staging" })).toEqual([two.id]);
    expect(await ids({ q: "filters", version: "1" })).toEqual([one.id]);
    expect(await ids({ q: "filters", recipe: "audio" })).toEqual([]);
  });
});

describe("stages", () => {
  it("have one version in production, and roll back to the one before, step by step", async () => {
    const [one, two, three] = [
      await trained("staged"),
      await trained("staged"),
      await trained("staged"),
    ];
    const model = () => server.client.call(getModel, { params: { model_id: one.model_id } });
    const back = () =>
      server.client.call(rollBackModel, {
        params: { model_id: one.model_id },
        body: { reason: "mistakes 7 for 1" },
      });
    await expect(back()).rejects.toMatchObject({ code: "no-earlier-production" });
    for (const version of [one, two, three]) await stage(version, "production");
    expect(await model()).toMatchObject({
      production: { version: 3 },
      rollback_to: { version: 2 },
      num_versions: 3,
    });
    expect((await find({ q: "staged", stage: "archived" })).map((each) => each.version)).toEqual([
      2, 1,
    ]);
    expect(await back()).toMatchObject({ production: { version: 2 }, rollback_to: { version: 1 } });
    const restored = await back();
    expect(restored).toMatchObject({ production: { version: 1 }, rollback_to: null });
    expect(restored.stage_changes.slice(0, 2)).toMatchObject([
      {
        ...{ version: 1, from: "archived", to: "production", is_rollback: true },
        ...{ changed_by_name: "ada", reason: "mistakes 7 for 1" },
      },
      { version: 2, from: "production", to: "archived", is_rollback: false },
    ]);
    const { entries } = await server.client.call(listAudit, {});
    expect(entries.slice(0, 3).map(({ action }) => action)).toEqual([
      "model-rolled-back",
      "model-rolled-back",
      "model-version-staged",
    ]);
  });

  it("changed by several at once leave one in production", async () => {
    const versions = [await trained("race"), await trained("race"), await trained("race")];
    await Promise.all(versions.map((version) => stage(version, "production")));
    expect(await find({ q: "race", stage: "production" })).toHaveLength(1);
    expect(await find({ q: "race", stage: "archived" })).toHaveLength(2);
  });

  it("keep a version in production from being deleted; others come back", async () => {
    const [one, two] = [await trained("deletion"), await trained("deletion")];
    await stage(two, "production");
    await expect(server.client.call(deleteModelVersion, params(two))).rejects.toMatchObject({
      code: "model-version-in-production",
    });
    await server.client.call(deleteModelVersion, params(one));
    expect((await find({ q: "deletion" })).map(({ id }) => id)).toEqual([two.id]);
    expect((await find({ q: "deletion", deleted: "true" })).map(({ id }) => id)).toEqual([one.id]);
    await expect(stage(one, "staging")).rejects.toMatchObject({ code: "model-version-not-found" });
    await server.client.call(restoreModelVersion, params(one));
    expect(await find({ q: "deletion" })).toHaveLength(2);
  });
});

describe("models", () => {
  it("are listed with their newest and their production version, and renamed", async () => {
    const one = await trained("listed");
    const two = await trained("listed");
    await stage(one, "production");
    const models = async (q: string) =>
      (await server.client.call(listModels, { query: { q } })).models;
    expect(await models("LISTED")).toMatchObject([
      { num_versions: 2, latest: { version: 2 }, production: { version: 1 } },
    ]);
    const of = { params: { model_id: two.model_id } };
    const taken = (await trained("taken")).name;
    await expect(
      server.client.call(updateModel, { ...of, body: { name: "Taken" } }),
    ).rejects.toMatchObject({ code: "model-name-taken" });
    expect(taken).toBe("taken");
    await server.client.call(updateModel, { ...of, body: { name: "Listed anew" } });
    expect(await models("listed anew")).toHaveLength(1);
    const { versions, total } = await server.client.call(listModelVersions, of);
    expect([versions.map(({ name }) => name), total]).toEqual([["Listed anew", "Listed anew"], 2]);
  });

  it("of another project are not there for it", async () => {
    const { id: projectId } = await server.client.call(createProject, { body: { name: "Apart" } });
    const version = await trained("walls");
    const foreign = await startFakeTraining(server, { project_id: projectId, modelName: "walls" });
    await foreign.finish();
    const there = await kept(foreign.id);
    expect(there).toMatchObject({ project_id: projectId, version: 1 });
    expect(there.model_id).not.toBe(version.model_id);
    await expect(
      server.client.call(createModelVersion, {
        params: { model_id: version.model_id },
        body: { run_id: foreign.id },
      }),
    ).rejects.toMatchObject({ code: "run-not-found" });
  });
});
