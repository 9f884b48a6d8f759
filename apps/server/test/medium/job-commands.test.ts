// What stands in the database when commands meet each other, or a job's end; and how jobs are numbered.
import type { JobKind } from "@spotter/contract";
import { beforeEach, describe, expect, it } from "vitest";
import { CommandsStore } from "../../src/domains/queue/commands-store.ts";
import { PUT_BACK, startFailedExit } from "../../src/domains/queue/endings.ts";
import { JobChanges } from "../../src/domains/queue/job-changes.ts";
import { JobLifecycle } from "../../src/domains/queue/lifecycle.ts";
import { LostAttempts } from "../../src/domains/queue/lost-attempts.ts";
import { QueueStore } from "../../src/domains/queue/store.ts";
import type { JobRow } from "../../src/domains/queue/tables.ts";
import type { Database } from "../../src/platform/db/database.ts";
import { freshTestDatabase } from "../database.ts";

let database: Database;
let store: QueueStore;
let commands: CommandsStore;
let lifecycle: JobLifecycle;
beforeEach(async () => {
  database = await freshTestDatabase();
  store = new QueueStore(database);
  commands = new CommandsStore(database);
  lifecycle = new JobLifecycle(store, commands, new JobChanges(store), () => 1000);
});

const submit = (kind: JobKind): Promise<number> =>
  database.transaction((transaction) =>
    lifecycle.submit(transaction, {
      ...{ kind, projectId: 1, ownerId: null, nameOf: (id: number) => `job-${id}` },
      work: { recipe: "vision", config: {}, places: {}, predict: null },
    }),
  );
async function begun(): Promise<JobRow> {
  const id = await submit("train");
  await lifecycle.beginAttempt(id, 1, `hash ${id}`, { granted: null, resumeFrom: null });
  const job = await store.job(id);
  if (job === undefined) throw new Error(`no job ${id}`);
  return job;
}

const fail = (job: JobRow) =>
  store.transaction((transaction) =>
    store.updateJob(transaction, job.id, ["starting"], { state: "failed" }),
  );
const by = { id: null, name: "ada" };
const set = (job: JobRow) =>
  lifecycle.insertCommand(job, { action: "set", by, wish: { values: { learning_rate: 0.1 } } });

it("a revert takes back a change that came in after it was decided", async () => {
  const job = await begun();
  const first = await set(job);
  // Whoever reverts has read the changes before this one.
  const restart = { checkpoint: "checkpoints/step-1", reverted: [first?.id ?? 0] };
  const between = await set(job);
  const wish = { reason: null, change_id: first?.id ?? 0 };
  const revert = await lifecycle.insertCommand(job, { action: "revert", by, wish, restart });
  expect(JSON.parse(revert?.reverted ?? "")).toEqual([first?.id, between?.id]);
  const after = await set(job);
  expect(JSON.parse(revert?.reverted ?? "")).not.toContain(after?.id);
});

it("so does one of a job that has ended", async () => {
  const job = await begun();
  const first = await set(job);
  const between = await set(job);
  await fail(job);
  const restart = { checkpoint: "checkpoints/step-1", reverted: [first?.id ?? 0] };
  const wish = { reason: null, change_id: first?.id ?? 0 };
  await lifecycle.requeueReverted(job, ["failed"], { action: "revert", by, wish, restart });
  const requeued = await store.job(job.id);
  expect(requeued).toMatchObject({ state: "queued", resume_from: "checkpoints/step-1" });
  expect(JSON.parse(requeued?.reverted_changes ?? "")).toEqual([first?.id, between?.id]);
});

describe("a pause", () => {
  const grant = { granted: null, resumeFrom: null };
  /** As a loss leaves it: waiting to be made good, its open commands expired. */
  const lose = (job: JobRow, change: Partial<JobRow> = { not_before: 1010 }) =>
    store.transaction(async (transaction) => {
      await store.updateJob(transaction, job.id, ["starting"], { state: "queued", ...change });
      await commands.expire(transaction, job.id);
    });
  const sentTo = async (jobId: number, attempt: number) =>
    (await commands.toSend(jobId, attempt, 0)).map(({ action }) => action);

  it("outlives the loss of its attempt, again and again, under the name of who asked for it", async () => {
    const job = await begun();
    await lifecycle.insertCommand(job, { action: "pause", by });
    await lose(job);
    expect(await lifecycle.beginAttempt(job.id, 2, "two", grant)).toEqual({ isPaused: true });
    expect(await sentTo(job.id, 2)).toEqual(["pause"]);
    const [, again] = await commands.ofJob(job.id);
    expect(again).toMatchObject({ attempt: 2, created_by_name: "ada", state: "sent" });
    await lose(job);
    expect(await lifecycle.beginAttempt(job.id, 3, "three", grant)).toEqual({ isPaused: true });
    expect(await sentTo(job.id, 3)).toEqual(["pause"]);
  });

  it("ends where somebody has let the run go on, or resumes it by hand", async () => {
    const job = await begun();
    await lifecycle.insertCommand(job, { action: "pause", by });
    await lifecycle.insertCommand(job, { action: "resume", by });
    await lose(job);
    expect(await lifecycle.beginAttempt(job.id, 2, "two", grant)).toEqual({ isPaused: false });
    const other = await begun();
    await lifecycle.insertCommand(other, { action: "pause", by });
    await fail(other);
    await lifecycle.requeue(other.id, null, ["failed"]);
    expect(await lifecycle.beginAttempt(other.id, 2, "other", grant)).toEqual({ isPaused: false });
    expect(await sentTo(other.id, 2)).toEqual([]);
  });

  it("stands where the server went down while it started the next attempt", async () => {
    const job = await begun();
    await lifecycle.insertCommand(job, { action: "pause", by });
    const exit = startFailedExit(PUT_BACK);
    const losses = new LostAttempts(store, commands, new JobChanges(store), () => 1000);
    await losses.putBack(job.id, 1, exit);
    expect(await lifecycle.beginAttempt(job.id, 2, "two", grant)).toEqual({ isPaused: true });
  });
});

it("no command is left behind for an attempt that has ended meanwhile", async () => {
  const job = await begun();
  await fail(job);
  expect(await set(job)).toBeNull();
  expect(await commands.ofJob(job.id)).toEqual([]);
});

it("runs count up without holes, whatever was predicted or looked at between them", async () => {
  const ids: number[] = [];
  for (const kind of ["train", "preflight", "predict", "external", "preflight", "train"] as const)
    ids.push(await submit(kind));
  const [first = 0] = ids;
  expect(ids.filter((id) => id < 1e9)).toEqual([first, first + 1, first + 2]);
  expect(ids.filter((id) => id > 1e9)).toHaveLength(3);
});
