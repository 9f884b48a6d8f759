// Trainings on a machine that shares nothing with the server but HTTP: real workers, staged code and data, files that
// come home, restarts, and machines that are lost.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import {
  controlTraining,
  createForks,
  createRun,
  Dataset,
  findModelVersions,
  getQueue,
  getRun,
  listRunFiles,
  listRunLogs,
  type ModelVersion,
  predictWithRun,
  type Run,
  resumeRun,
} from "@spotter/contract";
import { describe, expect, it, onTestFinished } from "vitest";
import { greyPng } from "../grey-png.ts";
import { startTestServer, type TestServer, WORKER_SOURCES } from "../harness.ts";
import { Machine } from "../remote/machine.ts";
import { RemoteExecutor } from "../remote/remote-executor.ts";
import { waitUntil } from "../wait-until.ts";
import { makeZip } from "../zip.ts";

/** The machine says that it has one core: so has its twin on the server's own. */
const ONE_CORE = { resources: { cpu_cores: 1 } };
const LONG = { epochs: 5000, width: 8, checkpoint_every_epochs: 1, keep_checkpoints: 2 };

interface Cluster {
  readonly server: TestServer;
  readonly machine: Machine;
}

async function cluster(patienceS = 600): Promise<Cluster> {
  const machine = new Machine();
  await machine.startAgent();
  const server = await startTestServer({
    makeExecutor: (serverUrl) =>
      new RemoteExecutor({
        ...{ serverUrl, patienceS, workerSources: WORKER_SOURCES },
        machineUrl: () => machine.url,
      }),
  });
  onTestFinished(async () => {
    await server.close();
    await machine.die();
    machine.wipe();
  });
  return { server, machine };
}

async function train(server: TestServer, config: object, more: object = {}): Promise<number> {
  const body = { recipe: "vision" as const, config: { ...config }, ...ONE_CORE, ...more };
  return (await server.client.call(createRun, { body })).id;
}

function untilRun(server: TestServer, id: number, fits: (run: Run) => boolean): Promise<Run> {
  return waitUntil(
    () => server.client.call(getRun, { params: { run_id: String(id) } }),
    fits,
    120_000,
  );
}

const control = (server: TestServer, runId: number, action: "stop" | "cancel" | "pause") =>
  server.client.call(controlTraining, { body: { action, run_id: runId } });
const epochOf = ({ progress }: Run) => progress?.epoch ?? 0;
const hasEnded = (run: Run) =>
  run.ended_at !== null && run.attempts.every(({ state }) => state === "ended");

/** Two classes of small pictures, told apart by their brightness. */
async function uploadPictures(server: TestServer): Promise<number> {
  const entries = ["bright", "dark"].flatMap((name, light) =>
    Array.from({ length: 20 }, (_, index) => ({
      name: `${name}/${index}.png`,
      data: greyPng(8, (x, y) => (light === 0 ? 200 : 40) + ((index * 7 + x * 3 + y) % 30)),
    })),
  );
  const response = await fetch(`${server.url}/api/datasets?name=Light`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.token}`, "content-type": "application/zip" },
    body: makeZip(entries),
  });
  const [version] = Dataset.parse(await response.json()).versions;
  if (version === undefined) throw new Error("the dataset has no version");
  return version.id;
}

async function storedVersion(server: TestServer, runId: number): Promise<ModelVersion> {
  const query = { run_id: String(runId) };
  const [version] = await waitUntil(
    async () => (await server.client.call(findModelVersions, { query })).versions,
    ([found]) => found?.storage === "stored",
    60_000,
  );
  if (version === undefined) throw new Error("nothing was registered");
  return version;
}

async function filesOf(server: TestServer, runId: number) {
  const params = { run_id: String(runId) };
  return (await server.client.call(listRunFiles, { params })).files;
}

/** All files below a folder, relative to it. */
function below(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

const sha256Of = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

describe("a training on another machine", { timeout: 300_000 }, () => {
  it("ends like a local one: the same weights, a stored version, its files and its log", async () => {
    const { server, machine } = await cluster();
    const data = { dataset_version: await uploadPictures(server) };
    const config = { data, epochs: 2, width: 4, image_size: 8, batch_size: 8, seed: 3 };
    const id = await train(server, config);
    const run = await untilRun(server, id, hasEnded);
    expect(run).toMatchObject({ state: "finished", error: null, reason: null });
    expect(run.data?.classes).toEqual(["bright", "dark"]);
    expect(run.attempts[0]?.exit).toMatchObject({ exit_code: 0, reason: null });

    const twins = await startTestServer({ hasWorkers: true });
    onTestFinished(() => twins.close());
    const local = { ...config, data: { dataset_version: await uploadPictures(twins) } };
    const twin = await untilRun(twins, await train(twins, local), hasEnded);
    expect(twin).toMatchObject({ state: "finished" });
    expect(run.metrics["test/accuracy"]).toBe(twin.metrics["test/accuracy"]);
    const version = await storedVersion(server, id);
    expect(version.weights.sha256).toBe((await storedVersion(twins, twin.id)).weights.sha256);

    // What the run is made of is on the server's disk, and nothing of how it was run.
    const home = path.join(server.home, "runs", String(id));
    const twinHome = path.join(twins.home, "runs", String(twin.id));
    const products = below(twinHome).filter((file) => !file.startsWith("attempts/"));
    await waitUntil(
      () => below(home),
      (files) => JSON.stringify(files) === JSON.stringify(products),
    );
    expect(products).toContain("weights/model.safetensors");
    expect(sha256Of(path.join(home, "weights/model.safetensors"))).toBe(version.weights.sha256);
    const kinds = (files: Awaited<ReturnType<typeof filesOf>>) =>
      files.map(({ kind, path: file, label }) => ({ kind, file, label }));
    expect(kinds(await filesOf(server, id))).toEqual(kinds(await filesOf(twins, twin.id)));
    const params = { run_id: String(id) };
    const logs = await waitUntil(
      () => server.client.call(listRunLogs, { params }),
      ({ lines }) => lines.some(({ text }) => text.startsWith("test accuracy")),
    );
    expect(logs.lines.some(({ text }) => text.startsWith("epoch 1/2"))).toBe(true);
    const weights = (await filesOf(server, id)).find(({ kind }) => kind === "weights");
    const download = await fetch(`${server.url}/api/runs/${id}/files/${weights?.id}/content`, {
      headers: { authorization: `Bearer ${server.token}` },
    });
    expect((await download.arrayBuffer()).byteLength).toBe(weights?.size);

    // Its worker knew the server by HTTP alone, and had the cores of its own machine.
    const spec = readFileSync(path.join(machine.folder, `runs/${id}/attempts/1/spec.json`), "utf8");
    expect(spec).not.toContain(server.home);
    expect(JSON.parse(spec)).toMatchObject({ num_threads: 1 });
    const answer = await server.client.call(predictWithRun, { params, body: { test_samples: 2 } });
    expect(answer).toMatchObject({ run_id: id, weights: "weights/model.safetensors" });
    expect(answer.predictions).toHaveLength(2);
  });

  it("is adopted by the next server, stops with a checkpoint, and goes on from it on another machine", async () => {
    const { server, machine } = await cluster();
    const id = await train(server, LONG);
    const before = await untilRun(server, id, (run) => epochOf(run) >= 2);
    await server.restart();
    const after = await untilRun(server, id, (run) => epochOf(run) > epochOf(before) + 1);
    expect(after.attempts).toHaveLength(1);
    expect(after.reason).toBeNull();

    // What people change while it trains is put down in the run's folder, which its next attempt reads.
    await server.client.call(controlTraining, {
      body: { action: "set", run_id: id, values: { learning_rate: 0.0005 }, reason: "slower" },
    });
    const home = path.join(server.home, "runs", String(id));
    await waitUntil(
      () => existsSync(path.join(home, "changes.json")),
      (isThere) => isThere,
    );

    await control(server, id, "stop");
    const stopped = await untilRun(server, id, hasEnded);
    expect(stopped).toMatchObject({ state: "stopped", error: null });
    const saved = (await filesOf(server, id)).filter(
      ({ kind, removed_at }) => kind === "checkpoint" && removed_at === null,
    );
    await waitUntil(
      () => saved.map((file) => existsSync(path.join(home, file.path, "manifest.json"))),
      (found) => found.every((isThere) => isThere),
    );
    const kept = new Set(saved.map(({ path: file }) => path.basename(file)));
    // What its policy has removed there is removed here.
    await waitUntil(
      () => readdirSync(path.join(home, "checkpoints")),
      (names) => names.every((name) => kept.has(name)),
    );

    await machine.die();
    machine.wipe();
    mkdirSync(machine.folder);
    await machine.startAgent();
    await server.client.call(resumeRun, { params: { run_id: String(id) } });
    const resumed = await untilRun(server, id, ({ attempts }) => attempts[1]?.first_step != null);
    const newest = Math.max(...saved.map(({ step }) => step ?? 0));
    expect(resumed.attempts[1]?.first_step).toBe(newest + 1);
    // A fork begins in a checkpoint that came home.
    const { runs } = await server.client.call(createForks, {
      params: { run_id: String(id) },
      body: { checkpoint: newest, changes: { learning_rate: 0.001, epochs: 5001 } },
    });
    expect(runs).toHaveLength(1);
    await control(server, runs[0]?.id ?? 0, "cancel");
    await control(server, id, "cancel");
    const ended = await untilRun(server, id, hasEnded);
    expect(ended).toMatchObject({ state: "stopped", reason: "Stopped as asked." });
    expect(machine.supervisors().map(({ worker_pid }) => worker_pid)).not.toContain(null);
  });

  it("trains on while its machine's agent is away, and is found again", async () => {
    const { server, machine } = await cluster(3);
    const id = await train(server, LONG);
    await untilRun(server, id, (run) => epochOf(run) >= 1);
    await machine.killAgent();
    const silent = await untilRun(server, id, ({ reason }) => reason !== null);
    expect(silent.reason).toMatch(/machine that trains it does not answer.*ECONNREFUSED/);
    // Longer than its patience: the training itself is heard of.
    await untilRun(server, id, (run) => epochOf(run) > epochOf(silent) + 20);
    await machine.startAgent();
    const back = await untilRun(server, id, ({ reason }) => reason?.includes("is back") ?? false);
    expect(back).toMatchObject({ state: "running" });
    expect(back.attempts).toHaveLength(1);
    await control(server, id, "cancel");
    await untilRun(server, id, hasEnded);
  });

  it("is lost with its machine, says so, and is made good elsewhere from what came home", async () => {
    const { server, machine } = await cluster(3);
    // So far apart that its policy does not remove one before the next is home: what was removed there is gone here.
    const apart = { ...LONG, checkpoint_every_epochs: 10 };
    const id = await train(server, apart, { limits: { attempts: 2 } });
    await untilRun(server, id, (run) => epochOf(run) >= 3);
    const home = path.join(server.home, "runs", String(id), "checkpoints");
    await waitUntil(
      () => (existsSync(home) ? readdirSync(home) : []),
      // Not one that is still on its way: it comes with its manifest.
      (names) =>
        names.some(
          (name) => /^step-\d+$/.test(name) && existsSync(path.join(home, name, "manifest.json")),
        ),
    );
    await machine.die();
    const lost = await untilRun(server, id, ({ attempts }) => attempts[0]?.state === "ended");
    expect(lost.attempts[0]?.exit).toMatchObject({ reason: "machine-lost", signal: null });
    expect(lost.attempts[0]?.exit?.message).toMatch(/^The machine that trained it is lost/);
    expect(lost.reason).toMatch(/^Attempt 1 of 2 was lost and is made good.*not answered for 3 s/);
    machine.wipe();
    mkdirSync(machine.folder);
    await machine.startAgent();
    const again = await untilRun(server, id, ({ attempts }) => attempts[1]?.first_step != null);
    expect(again.attempts[1]?.first_step).toBeGreaterThan(1);
    await control(server, id, "cancel");
    await untilRun(server, id, hasEnded);
    const queue = await server.client.call(getQueue, {});
    expect([...queue.running, ...queue.waiting]).toEqual([]);
  });

  it("ends at once when it is cancelled while its machine does not answer", async () => {
    const { server, machine } = await cluster();
    const id = await train(server, LONG);
    await untilRun(server, id, (run) => epochOf(run) >= 1);
    await machine.die();
    await control(server, id, "cancel");
    const ended = await untilRun(server, id, hasEnded);
    expect(ended).toMatchObject({ state: "stopped", reason: "Stopped as asked." });
  });
});
