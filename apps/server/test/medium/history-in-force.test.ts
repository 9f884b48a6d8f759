// What a run says of itself where a later attempt has gone back: best and last values are of the history that is in force,
// and its time is the time that it trained.
import { getLineage, getRun, listRunFiles, listRuns, type Run } from "@spotter/contract";
import { sql } from "kysely";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { startFakeTraining } from "../fake-training.ts";
import { startTestServer, type TestServer } from "../harness.ts";
import { openPlayedAttempt } from "../played-attempt.ts";
import { waitUntil } from "../wait-until.ts";

let server: TestServer;
let id: number;
const seqs = new Map<string, number>();
const tokens = new Map<number, string>();

beforeEach(async () => {
  server = await startTestServer();
  onTestFinished(() => server.close());
  const training = await startFakeTraining(server);
  id = training.id;
  seqs.clear();
  tokens.clear();
  tokens.set(1, training.token);
});

const get = (): Promise<Run> => server.client.call(getRun, { params: { run_id: String(id) } });

async function send(
  attempt: number,
  events: readonly object[],
  source: "worker" | "supervisor" = "worker",
): Promise<void> {
  const seq = (seqs.get(`${attempt} ${source}`) ?? 0) + 1;
  seqs.set(`${attempt} ${source}`, seq);
  const response = await fetch(`${server.url}/api/worker/jobs/${id}/events`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${tokens.get(attempt)}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ protocol: 1, attempt, source, seq, events }),
  });
  expect([response.status, await response.text()]).toMatchObject([200, {}]);
}

async function beginAttempt(attempt: number): Promise<void> {
  const token = await server.database.transaction((transaction) =>
    openPlayedAttempt(transaction, id, attempt),
  );
  tokens.set(attempt, token);
}

const exit = (exit_code: number | null, signal: string | null) => ({
  ...{ exit_code, signal, out_of_memory: false, reason: null, message: null },
});
const best = (value: number, step: number) => ({ metric: "val/accuracy", value, step });

const checkpoint = (step: number) => ({
  ...{ type: "file-saved", time: 100 + step, kind: "checkpoint", label: "best", step },
  ...{ path: `checkpoints/step-${step}`, size: 1, sha256: "0".repeat(64) },
});
const bestFiles = async () => {
  const { files } = await server.client.call(listRunFiles, { params: { run_id: String(id) } });
  return files.filter(({ label }) => label === "best").map(({ step }) => step);
};

/** An evaluation as the worker tells it. */
function evaluation(step: number, time: number, value: number, found: object): object[] {
  const series = {
    "val/accuracy": { step: [step], time: [time], value: [value] },
    "train/accuracy": { step: [step], time: [time], value: [0] },
  };
  const metrics = { "train/accuracy": value + 0.01, "val/accuracy": value };
  const epoch = { epoch: step / 15, step, metrics, checkpoint_saved: true, best: found };
  return [
    { type: "metric-points", series },
    { type: "epoch-completed", time, ...epoch },
  ];
}

describe("a run that has gone back to an earlier checkpoint", () => {
  it("shows the best and the last values of the history that is in force", async () => {
    await send(1, [
      { type: "run-started", time: 100 },
      ...evaluation(45, 110, 0.8, best(0.8, 45)),
      checkpoint(45),
      ...evaluation(75, 120, 0.922, best(0.922, 75)),
      checkpoint(75),
    ]);
    expect(await bestFiles()).toEqual([75]);
    await waitUntil(get, (run) => run.metrics["val/accuracy"] === 0.922);
    expect(await get()).toMatchObject({
      best: best(0.922, 75),
      epoch_means: { "train/accuracy": 0.932 },
    });

    await beginAttempt(2);
    const standing = {
      best: best(0.8, 45),
      metrics: { "train/accuracy": 0.81, "val/accuracy": 0.8 },
    };
    await send(2, [
      { type: "run-started", time: 200, first_step: 46, resumed_from_step: 45, standing },
    ]);
    expect((await get()).best).toEqual(best(0.8, 45));
    expect((await get()).epoch_means).toEqual({ "train/accuracy": 0.81 });
    expect(await bestFiles()).toEqual([45]);
    // The list and the lineage say the same.
    const { runs } = await server.client.call(listRuns, { query: {} });
    expect(runs[0]?.best).toEqual(best(0.8, 45));
    const lineage = await server.client.call(getLineage, { params: { run_id: String(id) } });
    expect(lineage.runs[0]?.best).toEqual(best(0.8, 45));
    await waitUntil(get, (run) => run.metrics["val/accuracy"] === 0.8);
    await waitUntil(get, (run) => run.last_step === 45);

    await send(2, evaluation(60, 210, 0.85, best(0.85, 60)));
    expect((await get()).best).toEqual(best(0.85, 60));
  });

  it("has no best where it begins anew", async () => {
    await send(1, [{ type: "run-started", time: 100 }, ...evaluation(45, 110, 0.8, best(0.8, 45))]);
    await waitUntil(get, (run) => run.metrics["val/accuracy"] === 0.8);
    await beginAttempt(2);
    await send(2, [{ type: "run-started", time: 200 }]);
    expect(await get()).toMatchObject({ best: null, epoch_means: {} });
    await waitUntil(get, (run) => run.metrics["val/accuracy"] === undefined);
  });
});

it("an epoch that ends between two evaluations leaves the values of the last one", async () => {
  await send(1, [
    { type: "run-started", time: 100 },
    ...evaluation(45, 110, 0.8, best(0.8, 45)),
    {
      ...{ type: "epoch-completed", time: 120, epoch: 4, step: 60, metrics: {} },
      ...{ checkpoint_saved: true, best: best(0.8, 45) },
    },
  ]);
  expect(await get()).toMatchObject({
    best: best(0.8, 45),
    epoch_means: { "train/accuracy": 0.81 },
  });
});

it("a run's values at its end are the last of its curves, and what only the end tells", async () => {
  await send(1, [{ type: "run-started", time: 100 }, ...evaluation(45, 110, 0.8, best(0.8, 45))]);
  await waitUntil(get, (run) => run.metrics["val/accuracy"] === 0.8);
  const metrics = { "val/accuracy": 0.7, "test/only": 0.6 };
  await send(1, [{ type: "run-ended", time: 120, state: "finished", metrics, error: null }]);
  expect((await get()).metrics["val/accuracy"]).toBe(0.8);
  const { runs } = await server.client.call(listRuns, { query: { metrics: "test/only" } });
  expect(runs[0]?.metrics).toEqual({ "test/only": 0.6 });
});

describe("the time of a run", () => {
  it("is what its attempts trained, without what lies between them and without pauses", async () => {
    await send(1, [
      { type: "run-started", time: 100 },
      { type: "run-paused", time: 104, step: 3, paused: true },
    ]);
    expect(await get()).toMatchObject({ state: "paused", trained_s: 4, training_since: null });
    await send(1, [{ type: "run-paused", time: 204, step: 3, paused: false }]);
    expect(await get()).toMatchObject({ state: "running", trained_s: 4, training_since: 204 });
    await send(1, [{ type: "run-ended", time: 210, state: "stopped", metrics: {} }]);
    await send(1, [{ type: "attempt-ended", time: 215, exit: exit(0, null) }], "supervisor");
    expect(await get()).toMatchObject({ state: "stopped", trained_s: 10, training_since: null });

    await beginAttempt(2);
    await send(2, [{ type: "run-started", time: 1000, first_step: 4 }]);
    expect(await get()).toMatchObject({ trained_s: 10, training_since: 1000 });
    // Its worker is gone without a word; its supervisor tells.
    const killed = { type: "attempt-ended", time: 1003, exit: exit(null, "SIGKILL") };
    await send(2, [killed], "supervisor");
    expect(await get()).toMatchObject({ trained_s: 13, training_since: null });
  });

  it("is what the list sorts by", async () => {
    const short = await startFakeTraining(server);
    await server.database.transaction(async (transaction) => {
      // From its start to its end longer than the other, but it waited in between.
      await sql`update runs set state = 'stopped', started_at = 0, ended_at = 1000, trained_s = 5,
        training_since = null where id = ${short.id}`.execute(transaction);
      await sql`update runs set state = 'stopped', started_at = 0, ended_at = 100, trained_s = 90,
        training_since = null where id = ${id}`.execute(transaction);
    });
    const { runs } = await server.client.call(listRuns, {
      query: { sort: "duration", direction: "desc" },
    });
    expect(runs.map((run) => run.id)).toEqual([id, short.id]);
  });
});
