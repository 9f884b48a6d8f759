// A training that gives way to an urgent one: with real workers to the last bit, and with a worker played by the test in
// all the ways in which giving way can end.
import { readFileSync } from "node:fs";
import path from "node:path";
import {
  controlTraining,
  createRun,
  getJob,
  getQueue,
  getRun,
  listAudit,
  listRunCommands,
  listRunFiles,
  PRIORITIES,
  type Run,
} from "@spotter/contract";
import { sql } from "kysely";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type FakeTraining, type Source, startFakeTraining } from "../fake-training.ts";
import { startTestServer, type TestServer } from "../harness.ts";
import { waitUntil } from "../wait-until.ts";

const params = (id: number) => ({ run_id: String(id) });
const jobOf = (server: TestServer, id: number) =>
  server.client.call(getJob, { params: { job_id: String(id) } });
const untilRun = (server: TestServer, id: number, fits: (run: Run) => boolean) =>
  waitUntil(() => server.client.call(getRun, { params: params(id) }), fits, 180_000);
const end = (server: TestServer, id: number, action: "cancel" | "stop" = "cancel") =>
  server.client.call(controlTraining, { body: { action, run_id: id } });

async function serverWithWorkers(env: Record<string, string> = {}): Promise<TestServer> {
  const server = await startTestServer({ hasWorkers: true, env });
  onTestFinished(async () => {
    const { running, waiting } = await server.client.call(getQueue, {});
    for (const { job_id: id } of [...waiting, ...running]) await end(server, id);
    await waitUntil(
      () =>
        server.database.read<{ n: number }>(
          "select count(*) as n from attempts where state <> 'ended'",
        ),
      ([row]) => Number(row?.n) === 0,
    );
    await server.close();
  });
  return server;
}

/**
 * The whole machine; its numbers hang on nothing but the config. By its own word it takes an hour, so that nobody waits
 * for its end; it stops early, at the same step each time.
 */
const TRAINED = {
  ...{ epochs: 5000, early_stopping_patience: 6, width: 8, batch_size: 32, dropout: 0.2 },
  checkpoint_every_epochs: 1000,
};
const train = async (server: TestServer, wish: object = {}) =>
  (
    await server.client.call(createRun, {
      body: { recipe: "vision", config: TRAINED, ...wish },
    })
  ).id;
const sleep = async (server: TestServer, priority: number, seconds: number) =>
  (
    await server.client.call(createRun, {
      body: { recipe: "command", config: { command: ["sleep", String(seconds)] }, priority },
    })
  ).id;
async function weightsOf(server: TestServer, id: number): Promise<string | undefined> {
  const { files } = await server.client.call(listRunFiles, { params: params(id) });
  return files.find(({ kind }) => kind === "weights")?.sha256;
}

describe("an urgent training on a full machine", { timeout: 400_000 }, () => {
  it("makes the running one give way, which goes on by itself, and ends bit for bit as its twin", async () => {
    const server = await serverWithWorkers();
    const victim = await train(server, { limits: { attempts: 2 } });
    const halfway = await untilRun(server, victim, ({ progress }) => (progress?.step ?? 0) >= 20);
    const urgent = await sleep(server, PRIORITIES.urgent, 2);
    const waits = await untilRun(server, victim, ({ state }) => state === "queued");
    expect(waits.reason).toMatch(
      new RegExp(`(Gives way to|Pre-empted by) run ${urgent} \\(urgent\\)`),
    );
    const told = await untilRun(
      server,
      victim,
      ({ reason, state }) => state !== "queued" || (reason?.startsWith("Pre-empted by") ?? false),
    );
    if (told.state === "queued")
      expect(told.reason).toMatch(/goes on by itself from step \d+\. Needs .+; run \d+ holds/);
    await untilRun(server, urgent, ({ state }) => state === "finished");
    const done = await untilRun(server, victim, ({ ended_at: ended }) => ended !== null);
    expect(done).toMatchObject({ state: "finished", error: null, reason: null });

    const { commands } = await server.client.call(listRunCommands, { params: params(victim) });
    expect(commands.map(({ action, state }) => [action, state])).toEqual([["preempt", "done"]]);
    const step = commands[0]?.step as number;
    expect(step).toBeGreaterThanOrEqual(halfway.progress?.step ?? 0);
    const { attempts } = await jobOf(server, victim);
    expect(attempts.map(({ preempted }) => preempted)).toEqual([true, false]);
    // Not a step of its was trained twice.
    expect(attempts[1]?.first_step).toBe(step + 1);
    const { entries } = await server.client.call(listAudit, { query: {} });
    expect(entries.find(({ action }) => action === "run-preempted")).toMatchObject({
      ...{ user_name: null, subject_id: victim, details: { by: urgent } },
    });

    const twin = await train(server);
    await untilRun(server, twin, ({ state }) => state === "finished");
    expect(await weightsOf(server, victim)).toBeDefined();
    expect(await weightsOf(server, victim)).toBe(await weightsOf(server, twin));
  });

  it("that is cancelled before the running one could obey leaves it training, or back at once", async () => {
    const server = await serverWithWorkers();
    const victim = await train(server, { limits: { attempts: 2 } });
    await untilRun(server, victim, ({ progress }) => (progress?.step ?? 0) >= 20);
    const attempt = path.join(server.home, "runs", String(victim), "attempts", "1");
    const { worker_pid: worker } = JSON.parse(
      readFileSync(path.join(attempt, "supervisor.json"), "utf8"),
    ) as { worker_pid: number };
    const commands = async () =>
      (await server.client.call(listRunCommands, { params: params(victim) })).commands;
    process.kill(worker, "SIGSTOP");
    const urgent = await sleep(server, PRIORITIES.urgent, 600);
    await waitUntil(commands, (given) => given.length > 0);
    expect((await end(server, urgent)).state).toBe("cancelled");
    await waitUntil(commands, (given) => given.some(({ action }) => action === "stay"));
    process.kill(worker, "SIGCONT");
    // What the worker had heard of when it went on decides.
    const done = await untilRun(server, victim, ({ ended_at: ended }) => ended !== null);
    expect(done).toMatchObject({ state: "finished", error: null, reason: null });
    const [preempt] = await commands();
    const { attempts } = await jobOf(server, victim);
    expect([preempt?.state, attempts.map(({ preempted }) => preempted)]).toEqual(
      preempt?.state === "refused" ? ["refused", [false]] : ["done", [true, false]],
    );
  });

  it("waits for the running one to end where pre-emption is off", async () => {
    const server = await serverWithWorkers({ SPOTTER_PREEMPTION: "off" });
    const running = await train(server);
    await untilRun(server, running, ({ state }) => state === "running");
    const urgent = await sleep(server, PRIORITIES.urgent, 600);
    const waits = await untilRun(server, urgent, ({ reason }) => reason !== null);
    expect(waits.reason).toContain(`run ${running} holds`);
    const { commands } = await server.client.call(listRunCommands, { params: params(running) });
    expect(commands).toEqual([]);
  });
});

describe("a training that was asked to give way, whose worker is played by the test", () => {
  let server: TestServer;
  let id: number;
  let training: FakeTraining;
  let command: number;
  /** Time stands still, so that each test says whether the time to give way is over. */
  const NOW = 2e9;
  beforeEach(async () => {
    server = await startTestServer({ clock: { now: () => NOW } });
    onTestFinished(() => server.close());
    training = await startFakeTraining(server);
    id = training.id;
    await send("worker", [{ type: "run-started", time: 1 }]);
    await ask();
  });

  async function change(statement: ReturnType<typeof sql>): Promise<void> {
    await server.database.transaction((transaction) => statement.execute(transaction));
  }
  /**
   * As the queue asks, for a run 99 that is not there any more.
   * @param killAt when signals end it; once that is past nothing is taken back
   */
  async function ask(killAt = NOW - 1): Promise<void> {
    await change(sql`update jobs set state = 'running', preempted_by = 99, kill_at = ${killAt}, reason = 'Gives way.',
      limits = '{"attempts":2}' where id = ${id}`);
    await change(sql`update attempts set preempted = 1 where job_id = ${id}`);
    await change(sql`insert into job_commands (job_id, attempt, action, state, created_at)
      values (${id}, 1, 'preempt', 'sent', 1)`);
    const [row] = await server.database.read<{ id: number }>(
      "select max(id) as id from job_commands",
    );
    command = Number(row?.id);
  }
  async function send(source: Source, events: object[]): Promise<void> {
    await training.send(events, source);
  }
  const acked = (outcome: "done" | "refused", more: object = {}) => ({
    ...{ type: "command-acked", time: 5, command_id: command, outcome, step: 40 },
    ...more,
  });
  const ended = (state: string, more: object = {}) => ({
    type: "run-ended",
    time: 6,
    state,
    ...more,
  });
  const exited = (exit: object = {}) => ({
    type: "attempt-ended",
    time: 7,
    exit: {
      ...{ exit_code: 0, signal: null, out_of_memory: false, reason: null, message: null },
      ...exit,
    },
  });
  const KILLED = { exit_code: null, signal: "SIGKILL" };
  async function row() {
    const [job] = await server.database.read<Record<string, unknown>>(
      `select state, resume_from, preempted_by, num_preemptions, not_before, kill_at,
       attempts_before, ended_at from jobs where id = ${id}`,
    );
    return job;
  }
  const CHECKPOINT = "checkpoints/step-00000040";

  it("waits for its next attempt from the checkpoint that it told", async () => {
    await send("worker", [
      acked("done", { checkpoint: CHECKPOINT }),
      ended("stopped", { goes_on: true }),
    ]);
    await send("supervisor", [exited()]);
    expect(await row()).toMatchObject({
      ...{ state: "queued", resume_from: CHECKPOINT, preempted_by: 99, num_preemptions: 1 },
      ...{ not_before: null, kill_at: null, attempts_before: 0, ended_at: null },
    });
    // Its own project's people read nothing of a run that they cannot see.
    const { waiting } = await server.client.call(getQueue, {});
    expect(waiting[0]).toMatchObject({ job_id: id, preempted: { by: null, step: 40 } });
    // Nobody is told that it was stopped.
    expect((await server.client.call(getRun, { params: params(id) })).state).toBe("queued");
  });

  it.each([
    ["killed by a signal", [exited(KILLED)]],
    ["lost, as no retry would help", [exited({ ...KILLED, out_of_memory: true })]],
  ] as const)(
    "%s, goes on from its newest checkpoint, and has lost none of its attempts",
    async (_, exits) => {
      await send("supervisor", [...exits]);
      const job = await row();
      expect(job).toMatchObject({ state: "queued", preempted_by: 99, num_preemptions: 1 });
      expect(job?.not_before).not.toBeNull();
      const { attempts } = await jobOf(server, id);
      expect(attempts[0]).toMatchObject({ preempted: true, state: "ended" });
    },
  );

  it("stopped by the signal that follows an unanswered request, goes on too", async () => {
    await send("worker", [ended("stopped")]);
    expect(await row()).toMatchObject({ state: "running", preempted_by: 99 });
    await send("supervisor", [exited()]);
    expect(await row()).toMatchObject({ state: "queued", num_preemptions: 1 });
  });

  it("trains on where it refuses, and is left alone from then on", async () => {
    await send("worker", [acked("refused", { message: "no checkpoint could be written first" })]);
    expect(await row()).toMatchObject({ state: "running", preempted_by: null, kill_at: null });
    const [attempt] = await server.database.read<Record<string, unknown>>(
      `select preempted, yield_refused from attempts where job_id = ${id}`,
    );
    expect(attempt).toMatchObject({ preempted: 0, yield_refused: 1 });
    expect((await server.client.call(getRun, { params: params(id) })).reason).toBeNull();
    await send("supervisor", [exited(KILLED)]);
    expect(await row()).toMatchObject({ state: "queued", num_preemptions: 0 });
  });

  it.each(["finished", "failed"])("has %s where its worker says so first", async (state) => {
    await send("worker", [ended(state)]);
    await send("supervisor", [exited()]);
    expect(await row()).toMatchObject({ state, preempted_by: null, num_preemptions: 0 });
  });

  it("stays stopped where somebody stops it meanwhile, and while it waits", async () => {
    await end(server, id, "stop");
    await send("worker", [
      acked("done", { checkpoint: CHECKPOINT }),
      ended("stopped", { goes_on: true }),
    ]);
    await send("supervisor", [exited()]);
    expect(await row()).toMatchObject({ state: "stopped", preempted_by: null });
  });

  it("can be stopped while it waits, and resumed later", async () => {
    await send("worker", [
      acked("done", { checkpoint: CHECKPOINT }),
      ended("stopped", { goes_on: true }),
    ]);
    await send("supervisor", [exited()]);
    expect((await end(server, id, "cancel")).state).toBe("stopped");
  });

  describe("may stay where nobody urgent waits any more", () => {
    let stay: number;
    beforeEach(async () => {
      await change(sql`delete from job_commands where job_id = ${id}`);
      await ask(NOW + 100);
      const sent = await waitUntil(
        () =>
          server.database.read<{ id: number }>(
            "select id from job_commands where action = 'stay' and state = 'sent'",
          ),
        (commands) => commands.length > 0,
      );
      expect(sent).toHaveLength(1);
      stay = Number(sent[0]?.id);
      // It may have begun to obey: until it answers it is one that gives way, but no signal ends it.
      expect(await row()).toMatchObject({ state: "running", preempted_by: 99, kill_at: null });
    });

    it("and trains on, and may be asked again, where it had not begun", async () => {
      await send("worker", [
        acked("refused", { message: "nobody urgent waits any more" }),
        { ...acked("done"), command_id: stay },
      ]);
      expect(await row()).toMatchObject({ state: "running", preempted_by: null, kill_at: null });
      const [attempt] = await server.database.read<Record<string, unknown>>(
        `select preempted, yield_refused from attempts where job_id = ${id}`,
      );
      expect(attempt).toMatchObject({ preempted: 0, yield_refused: 0 });
      expect((await server.client.call(getRun, { params: params(id) })).reason).toBeNull();
      const { entries } = await server.client.call(listAudit, { query: {} });
      expect(entries.map(({ action }) => action)).toContain("run-preemption-withdrawn");
      // From now on its loss is a loss again, and not how it gives way.
      await send("supervisor", [exited(KILLED)]);
      expect(await row()).toMatchObject({ state: "queued", num_preemptions: 0 });
    });

    it("and comes back to the queue where it had begun", async () => {
      await send("worker", [
        acked("done", { checkpoint: CHECKPOINT }),
        ended("stopped", { goes_on: true }),
      ]);
      await send("supervisor", [exited()]);
      expect(await row()).toMatchObject({
        ...{ state: "queued", resume_from: CHECKPOINT, num_preemptions: 1, kill_at: null },
      });
    });

    it("and can be stopped meanwhile", async () => {
      await end(server, id, "stop");
      await send("worker", [acked("refused"), ended("stopped")]);
      await send("supervisor", [exited()]);
      expect(await row()).toMatchObject({ state: "stopped", preempted_by: null });
    });
  });

  it("is told nothing else until it runs again", async () => {
    await expect(
      server.client.call(controlTraining, { body: { action: "pause", run_id: id } }),
    ).rejects.toMatchObject({
      code: "run-state-conflict",
      message: expect.stringContaining("gives way to an urgent training"),
    });
  });
});
