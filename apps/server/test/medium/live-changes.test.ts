// Values of a training changed while it runs: who, what and why are kept, refusals say what would be right, and taking
// a change back goes on from the checkpoint of before it, with real workers.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import {
  controlTraining,
  createRun,
  findModelVersions,
  getQueue,
  getRun,
  getRunValues,
  type LiveValues,
  listAudit,
  listRunCommands,
  listRunFiles,
  previewForks,
  querySeries,
  type Run,
  type RunCommand,
  resumeRun,
} from "@spotter/contract";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type FakeTraining, sha256, startFakeTraining } from "../fake-training.ts";
import { startTestServer, type TestServer } from "../harness.ts";
import { waitUntil } from "../wait-until.ts";

const set = (server: TestServer, runId: number, values: LiveValues, reason = "the loss jumps") =>
  server.client.call(controlTraining, {
    body: { action: "set", run_id: runId, values, reason },
  });
const revert = (server: TestServer, runId: number, changeId?: number) =>
  server.client.call(controlTraining, {
    body: {
      ...{ action: "revert", run_id: runId, reason: "it got worse" },
      ...(changeId === undefined ? {} : { change_id: changeId }),
    },
  });
const valuesOf = (server: TestServer, id: number) =>
  server.client.call(getRunValues, { params: { run_id: String(id) } });
const runOf = (server: TestServer, id: number): Promise<Run> =>
  server.client.call(getRun, { params: { run_id: String(id) } });

/** As far as the server reads it: the ninth of an epoch's ten batches comes next. @returns its manifest's SHA-256 */
function writeCheckpoint(folder: string, config: object): string {
  const contents = {
    "progress.json": JSON.stringify({ step: 18, epoch: 1, batch: 8 }),
    "config.json": JSON.stringify(config),
  };
  mkdirSync(folder, { recursive: true });
  const files: Record<string, { size: number }> = {};
  for (const [name, text] of Object.entries(contents)) {
    writeFileSync(path.join(folder, name), text);
    files[name] = { size: text.length };
  }
  const manifest = JSON.stringify({ files });
  writeFileSync(path.join(folder, "manifest.json"), manifest);
  return sha256(manifest);
}

describe("a training whose worker is played by the test", () => {
  let server: TestServer;
  let training: FakeTraining;
  beforeEach(async () => {
    server = await startTestServer();
    onTestFinished(() => server.close());
    training = await startFakeTraining(server, {
      config: { data: { builtin: "digits" }, epochs: 30, learning_rate: 0.003 },
    });
    await training.send([{ type: "run-started", time: 1 }]);
  });

  const acked = (command: RunCommand | null, after: LiveValues, step = 120) => ({
    type: "command-acked",
    time: 5,
    command_id: command?.id,
    outcome: "done",
    step,
    change: {
      before: Object.fromEntries(Object.keys(after).map((name) => [name, 0.003])),
      after,
      checkpoint: `checkpoints/step-${String(step).padStart(8, "0")}`,
      rate_before: 0.003,
      rate_after: 0.0001,
    },
  });
  const saved = (step: number) => ({
    type: "file-saved",
    time: 4,
    kind: "checkpoint",
    path: `checkpoints/step-${String(step).padStart(8, "0")}`,
    size: 10,
    sha256: "0".repeat(64),
    step,
  });

  it("gets the values, and who, what and why are kept with the run and in the audit log", async () => {
    const { command } = await set(server, training.id, { learning_rate: 1e-4 });
    expect(command).toMatchObject({
      ...{ action: "set", state: "sent", values: { learning_rate: 1e-4 } },
      ...{ reason: "the loss jumps", created_by_name: "ada", change: null },
    });
    expect((await valuesOf(server, training.id)).changes[0]).toMatchObject({
      standing: "pending",
      can_revert: false,
    });
    await training.send([saved(120), acked(command, { learning_rate: 1e-4 })]);
    const found = await valuesOf(server, training.id);
    expect(found.changes[0]).toMatchObject({ standing: "in-force", can_revert: true });
    expect(found.values.find(({ name }) => name === "learning_rate")).toMatchObject({
      ...{ value: 1e-4, started_with: 0.003, above: 0, maximum: 10, nullable: false },
    });
    const began = await runOf(server, training.id);
    expect(began.config.learning_rate).toBe(0.003);
    expect(began.config_changes).toEqual([
      {
        ...{ key: "learning_rate", from: 0.003, to: 1e-4, from_step: 121, at: 5 },
        ...{ by_name: "ada", reason: "the loss jumps" },
      },
    ]);
    const { entries } = await server.client.call(listAudit, { query: {} });
    expect(entries.find(({ action }) => action === "run-controlled")).toMatchObject({
      user_name: "ada",
      subject_id: training.id,
      details: {
        ...{ action: "set", values: { learning_rate: 1e-4 }, reason: "the loss jumps" },
        command_id: command?.id,
      },
    });
  });

  it("shows in its version what it began with and what was changed, even told with its end", async () => {
    const { command } = await set(server, training.id, { learning_rate: 1e-4 });
    const weights = { path: "weights/model.safetensors", size: 7, sha256: sha256("weights") };
    const config = { data: { builtin: "digits" }, epochs: 30 };
    await training.send([
      // As a worker tells it that goes on from a checkpoint of after the change.
      { type: "run-started", time: 1, config: { ...config, learning_rate: 1e-4 } },
      acked(command, { learning_rate: 1e-4 }),
      { type: "file-saved", time: 7, kind: "weights", ...weights, step: 140, label: "final" },
      { type: "run-ended", time: 9, state: "finished", metrics: {} },
    ]);
    const query = { run_id: String(training.id) };
    const { versions } = await server.client.call(findModelVersions, { query });
    const run = await runOf(server, training.id);
    expect(run.config.learning_rate).toBe(0.003);
    expect(versions[0]).toMatchObject({
      config: { ...config, learning_rate: 0.003 },
      config_changes: [{ key: "learning_rate", from: 0.003, to: 1e-4, from_step: 121 }],
    });
    expect(versions[0]?.config_changes).toEqual(run.config_changes);
  });

  it("is asked for nothing that its recipe, optimiser or bounds do not allow", async () => {
    await expect(set(server, training.id, { learning_rate: 11 })).rejects.toMatchObject({
      ...{ code: "config-invalid", status: 400 },
      message: expect.stringContaining("values.learning_rate"),
    });
    await expect(set(server, training.id, { batch_size: 1.5 })).rejects.toMatchObject({
      code: "config-invalid",
    });
    await expect(set(server, training.id, { learning_rate: null })).rejects.toMatchObject({
      code: "config-invalid",
    });
    // The default optimiser is AdamW.
    await expect(set(server, training.id, { momentum: 0.5 })).rejects.toMatchObject({
      ...{ code: "value-not-changeable", status: 422 },
      details: { names: expect.arrayContaining(["learning_rate", "beta1"]) },
    });
    await expect(set(server, training.id, { width: 64 })).rejects.toMatchObject({
      code: "value-not-changeable",
    });
    await expect(set(server, training.id, { learning_rate: 0.003 })).rejects.toMatchObject({
      code: "run-state-conflict",
      message: expect.stringContaining("Nothing would change"),
    });
    const { commands } = await server.client.call(listRunCommands, {
      params: { run_id: String(training.id) },
    });
    expect(commands).toEqual([]);
  });

  it.each([
    [{ action: "set", reason: "why" }, "body.values"],
    [{ action: "set", values: { learning_rate: 0.1 } }, "body.reason"],
    [{ action: "pause", values: { learning_rate: 0.1 } }, "body.values"],
    [{ action: "set", values: { learning_rate: 0.1 }, reason: "why", change_id: 3 }, "change_id"],
  ] as const)("a request such as %j is refused with what is missing", async (body, path) => {
    const call = server.client.call(controlTraining, { body: { ...body, run_id: training.id } });
    await expect(call).rejects.toMatchObject({ code: "invalid-request" });
    await expect(call).rejects.toMatchObject({
      details: {
        issues: expect.arrayContaining([
          expect.objectContaining({ path: expect.stringContaining(path) }),
        ]),
      },
    });
  });

  it("is forked from before a change of the batch size, whose batches say nothing of that fork's end", async () => {
    const config = { data: { builtin: "digits" }, epochs: 2, batch_size: 64 };
    const parent = await startFakeTraining(server, { config });
    const told = (batches: number) => ({
      ...{ type: "run-progress", time: 3, step: 18, total_steps: 20, epoch: 2, total_epochs: 2 },
      ...{
        batch: 8,
        batches,
        eta_s: null,
        steps_per_s: null,
        lr_schedule: "cosine",
        phase: "training",
      },
    });
    const folder = path.join(server.home, "runs", String(parent.id), "checkpoints/step-00000018");
    const checkpoint = { step: 18, sha256: writeCheckpoint(folder, config) };
    await parent.send([
      { type: "run-started", time: 1 },
      told(10),
      { ...saved(18), ...checkpoint },
    ]);
    const plan = () =>
      server.client.call(previewForks, {
        params: { run_id: String(parent.id) },
        body: { checkpoint: 18, changes: { learning_rate: 0.001 } },
      });
    expect(await plan()).toMatchObject({ total_steps: 20 });
    const { command } = await set(server, parent.id, { batch_size: 128 });
    await parent.send([acked(command, { batch_size: 128 }, 18), told(5)]);
    const changed = await plan();
    expect(changed).toMatchObject({ total_steps: null, learning_rate: null });
    expect(changed.warnings.map(({ code }) => code)).not.toContain("no-steps-left");
  });

  it("has nothing to take back before a change is in force, nor once its checkpoint is gone", async () => {
    await expect(revert(server, training.id)).rejects.toMatchObject({
      code: "change-not-revertible",
    });
    const { command } = await set(server, training.id, { learning_rate: 1e-4 });
    await training.send([saved(120), acked(command, { learning_rate: 1e-4 })]);
    await expect(revert(server, training.id, 999_999)).rejects.toMatchObject({
      code: "change-not-revertible",
      message: expect.stringContaining(`in force are ${command?.id}`),
    });
    await training.send([
      { type: "file-removed", time: 6, path: "checkpoints/step-00000120", size: 10 },
    ]);
    await expect(revert(server, training.id)).rejects.toMatchObject({
      message: expect.stringContaining("removed to make room"),
    });
    expect((await valuesOf(server, training.id)).changes[0]?.can_revert).toBe(false);
  });

  it("is at the checkpoint of before a change from the moment that it is taken back, while it waits", async () => {
    const progress = (step: number) => ({
      ...{ type: "run-progress", time: 3, step, total_steps: 600, epoch: 9, total_epochs: 30 },
      ...{ batch: 8, batches: 20, eta_s: 9, steps_per_s: 3, lr_schedule: "cosine" },
      phase: "training",
    });
    const points = (step: number, value: number) => ({
      type: "metric-points",
      series: { "val/accuracy": { step: [step], time: [step], value: [value] } },
    });
    const evaluated = (step: number, value: number) => ({
      ...{ type: "epoch-completed", time: 6, epoch: 9, step, checkpoint_saved: true },
      metrics: { "train/accuracy": value },
      best: { metric: "val/accuracy", value, step },
    });
    const { command } = await set(server, training.id, { learning_rate: 1e-4 });
    await training.send([
      points(110, 0.8),
      { ...saved(120), epoch: 6 },
      acked(command, { learning_rate: 1e-4 }),
      points(170, 0.2),
      { type: "metric-points", series: { late: { step: [175], time: [175], value: [1] } } },
      { ...saved(170), label: "best" },
      evaluated(170, 0.2),
      progress(180),
    ]);
    await waitUntil(
      () => runOf(server, training.id),
      ({ metrics, last_step: step }) => metrics["val/accuracy"] === 0.2 && step === 175,
    );
    expect(await runOf(server, training.id)).toMatchObject({ best: { step: 170 } });

    const { command: asked } = await revert(server, training.id);
    await training.send([
      { type: "command-acked", time: 9, command_id: asked?.id, outcome: "done", step: 120 },
      { type: "run-ended", time: 9, state: "stopped", metrics: {}, goes_on: true },
    ]);
    const exit = { exit_code: 0, signal: null, out_of_memory: false, reason: null, message: null };
    await training.send([{ type: "attempt-ended", time: 10, exit }], "supervisor");
    // The harness has no workers: the run stays in the queue.
    const back = await waitUntil(
      () => runOf(server, training.id),
      ({ metrics, last_step: step }) => metrics["val/accuracy"] === 0.8 && step !== 175,
    );
    expect(back).toMatchObject({ state: "queued", best: null, epoch_means: {} });
    expect(back.last_step).toBeLessThanOrEqual(120);
    expect(back.progress).toMatchObject({ step: 120, epoch: 6, eta_s: null, total_steps: 600 });
    const { series } = await server.client.call(querySeries, {
      body: { requests: [{ run_id: training.id, names: ["val/accuracy"] }] },
    });
    expect(series[0]).toMatchObject({ total_points: 1, superseded_points: 1 });
    const { files } = await server.client.call(listRunFiles, {
      params: { run_id: String(training.id) },
    });
    expect(files.filter(({ label }) => label === "best")).toEqual([]);
    // What it held is kept for it: a more urgent one that waits does not overtake it.
    const high = await startFakeTraining(server);
    await server.database.transaction(async (transaction) => {
      await transaction
        .withTables<{ jobs: { id: number; state: string; priority: number } }>()
        .updateTable("jobs")
        .set({ state: "queued", priority: 1 })
        .where("id", "=", high.id)
        .execute();
    });
    const { waiting } = await server.client.call(getQueue, {});
    expect(waiting.map(({ job_id }) => job_id)).toEqual([training.id, high.id]);
  });

  it("cannot be changed once it has ended, and a finished one is not taken back", async () => {
    const { command } = await set(server, training.id, { learning_rate: 1e-4 });
    await training.send([saved(120), acked(command, { learning_rate: 1e-4 })]);
    await training.send([{ type: "run-ended", time: 9, state: "finished", metrics: {} }]);
    await expect(set(server, training.id, { learning_rate: 0.01 })).rejects.toMatchObject({
      ...{ code: "run-state-conflict", details: { state: "finished" } },
    });
    await expect(revert(server, training.id)).rejects.toMatchObject({
      ...{ code: "run-state-conflict", message: expect.stringContaining("Fork it") },
    });
    expect((await valuesOf(server, training.id)).obstacle).toContain("has ended (finished)");
  });

  it("a change whose telling was late is in force all the same", async () => {
    const { command } = await set(server, training.id, { learning_rate: 1e-4 });
    await server.database.transaction(async (transaction) => {
      await transaction
        .withTables<{ job_commands: { id: number; state: string } }>()
        .updateTable("job_commands")
        .set({ state: "expired" })
        .where("id", "=", command?.id ?? 0)
        .execute();
    });
    expect((await valuesOf(server, training.id)).changes[0]?.standing).toBe("expired");
    await training.send([acked(command, { learning_rate: 1e-4 })]);
    expect((await valuesOf(server, training.id)).changes[0]?.standing).toBe("in-force");
  });

  it("a run that is gone, or runs elsewhere, is said to be", async () => {
    await expect(set(server, 999_999, { learning_rate: 1e-4 })).rejects.toMatchObject({
      code: "run-not-found",
    });
    const { id } = await server.client.call(createRun, { body: {} });
    await expect(set(server, id, { learning_rate: 1e-4 })).rejects.toMatchObject({
      ...{ code: "run-state-conflict", message: expect.stringContaining("outside Spotter") },
    });
    expect((await valuesOf(server, id)).values).toEqual([]);
  });
});

describe("a training with a real worker", { timeout: 600_000 }, () => {
  /** A worker starts slowly beside other tests. */
  const WAIT_MS = 150_000;
  const LONG = { epochs: 5000, width: 8, schedule: "constant", warmup_epochs: 0 };
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer({ hasWorkers: true });
    onTestFinished(() => endWorkers(server));
  });

  async function endWorkers(of: TestServer): Promise<void> {
    const { running, waiting } = await of.client.call(getQueue, {});
    for (const { job_id: runId } of [...waiting, ...running])
      await of.client.call(controlTraining, { body: { action: "cancel", run_id: runId } });
    await waitUntil(
      () =>
        of.database.read<{ n: number }>(
          "select count(*) as n from attempts where state <> 'ended'",
        ),
      ([row]) => Number(row?.n) === 0,
    );
    await of.close();
  }
  const untilRun = (id: number, fits: (run: Run) => boolean) =>
    waitUntil(() => runOf(server, id), fits, WAIT_MS);
  const untilChange = (id: number, standing: string) =>
    waitUntil(
      () => valuesOf(server, id),
      ({ changes }) => changes[0]?.standing === standing,
      WAIT_MS,
    );
  const train = () => server.client.call(createRun, { body: { recipe: "vision", config: LONG } });
  const trains = (id: number) =>
    untilRun(id, ({ state, progress }) => state === "running" && (progress?.step ?? 0) > 30);

  it("takes a change up at its next step, and taking it back restores the checkpoint of before", async () => {
    const { id } = await train();
    await trains(id);
    await set(server, id, { learning_rate: 0.0123, batch_size: 32 });
    const { changes } = await untilChange(id, "in-force");
    const { step, change } = changes[0]?.command ?? {};
    expect(change).toMatchObject({
      before: { learning_rate: 0.003, batch_size: 64 },
      after: { learning_rate: 0.0123, batch_size: 32 },
      ...{ rate_before: 0.003, rate_after: 0.0123 },
    });
    await untilRun(id, ({ metrics }) => metrics["train/learning_rate"] === 0.0123);

    expect((await revert(server, id)).command).toMatchObject({
      change_id: changes[0]?.command.id,
    });
    const back = await untilRun(id, ({ attempts }) => attempts[1]?.first_step != null);
    expect(back.attempts[1]?.first_step).toBe((step ?? 0) + 1);
    // It was never shown as ended in between.
    expect(back.ended_at).toBeNull();
    // Evaluations that were discarded are no longer its best: what is has a point in force, before or after.
    const { series } = await server.client.call(querySeries, {
      body: { requests: [{ run_id: id, names: ["val/accuracy"] }] },
    });
    expect(back.best?.step ?? 0).toBeLessThanOrEqual(series[0]?.last?.step ?? 0);
    await untilRun(id, ({ metrics }) => metrics["train/learning_rate"] === 0.003);
    const found = await valuesOf(server, id);
    expect(found.changes[0]).toMatchObject({
      ...{ standing: "reverted", can_revert: false },
      reverted: { by_name: "ada", reason: "it got worse" },
    });
    expect(found.values.find(({ name }) => name === "batch_size")?.value).toBe(64);
    expect((await runOf(server, id)).config.batch_size).toBe(64);
  });

  it("keeps a change through a stop and a resume, and takes it back from there too", async () => {
    const { id } = await train();
    await trains(id);
    await set(server, id, { learning_rate: 0.0123 });
    const { changes } = await untilChange(id, "in-force");
    await server.client.call(controlTraining, { body: { action: "stop", run_id: id } });
    const isAtRest = ({ state, attempts }: Run) =>
      state === "stopped" && attempts.every((attempt) => attempt.state === "ended");
    await untilRun(id, isAtRest);
    await server.client.call(resumeRun, { params: { run_id: String(id) } });
    const resumed = await untilRun(
      id,
      ({ state, attempts }) => state === "running" && attempts.length === 2,
    );
    const first = resumed.attempts[1]?.first_step ?? 0;
    await untilRun(id, ({ progress }) => (progress?.step ?? 0) > first + 5);
    expect((await runOf(server, id)).metrics["train/learning_rate"]).toBe(0.0123);
    await server.client.call(controlTraining, { body: { action: "stop", run_id: id } });
    await untilRun(id, isAtRest);

    // Nobody runs who could be told: it is queued from the checkpoint of before the change.
    expect((await revert(server, id)).command).toMatchObject({ state: "done" });
    const back = await untilRun(id, ({ attempts }) => attempts[2]?.first_step != null);
    expect(back.attempts[2]?.first_step).toBe((changes[0]?.command.step ?? 0) + 1);
    await untilRun(id, ({ metrics }) => metrics["train/learning_rate"] === 0.003);
    // What the change had led to is not there for another resume to find.
    const { files } = await server.client.call(listRunFiles, { params: { run_id: String(id) } });
    const later = files.filter(
      ({ kind, step, removed_at, attempt }) =>
        kind === "checkpoint" && attempt < 3 && removed_at === null && (step ?? 0) >= first,
    );
    expect(later).toEqual([]);
  });
});
