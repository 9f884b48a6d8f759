// Trainings through the whole server with real workers: queued, supervised, controlled, killed, resumed.
import { readFileSync } from "node:fs";
import path from "node:path";
import {
  controlTraining,
  createRun,
  getQueue,
  getRun,
  listRunCommands,
  listRunFiles,
  listRunLogs,
  predictWithRun,
  type Run,
  resumeRun,
} from "@spotter/contract";
import { describe, expect, it, onTestFinished } from "vitest";
import { startTestServer, type TestServer } from "../harness.ts";
import { waitUntil } from "../wait-until.ts";

async function serverWithWorkers(): Promise<TestServer> {
  const server = await startTestServer({ hasWorkers: true });
  onTestFinished(() => endWorkers(server));
  return server;
}

/** Tests leave nothing running: first the trainings, then the server. */
async function endWorkers(server: TestServer): Promise<void> {
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
}

const LONG = { epochs: 5000, width: 8, checkpoint_every_epochs: 1 };

async function train(server: TestServer, config: Record<string, number | string>): Promise<Run> {
  return server.client.call(createRun, { body: { recipe: "vision", config } });
}

function untilRun(server: TestServer, id: number, fits: (run: Run) => boolean): Promise<Run> {
  return waitUntil(() => server.client.call(getRun, { params: { run_id: String(id) } }), fits);
}

interface SupervisorFile {
  readonly pid: number;
  readonly worker_pid: number;
}
function supervisorFile(server: TestServer, runId: number, attempt = 1): SupervisorFile {
  const folder = path.join(server.home, "runs", String(runId), "attempts", String(attempt));
  return JSON.parse(readFileSync(path.join(folder, "supervisor.json"), "utf8"));
}

const control = (server: TestServer, runId: number, action: string) =>
  server.client.call(controlTraining, { body: { action: action as "stop", run_id: runId } });

describe("a training", { timeout: 120_000 }, () => {
  it("goes from the queue to saved weights, and these answer predictions", async () => {
    const server = await serverWithWorkers();
    const { client } = server;
    const made = await train(server, { epochs: 2, width: 8 });
    expect(made).toMatchObject({
      name: `vision-digits-${made.id}`,
      state: "queued",
      role: "admin",
    });
    const params = { run_id: String(made.id) };

    const run = await untilRun(server, made.id, ({ ended_at }) => ended_at !== null);
    expect(run).toMatchObject({ state: "finished", error: null, reason: null });
    expect(run.best?.metric).toBe("val/accuracy");
    expect(run.metrics["test/accuracy"]).toBeGreaterThan(0.5);
    expect(run.data?.classes).toHaveLength(10);

    const { files } = await client.call(listRunFiles, { params });
    expect(files.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["weights", "config"]));
    const logs = await waitUntil(
      () => client.call(listRunLogs, { params }),
      ({ lines }) => lines.some(({ text }) => text.startsWith("test accuracy")),
    );
    expect(logs.lines.map((line) => line.line_no)).toEqual(logs.lines.map((_, index) => index + 1));

    const answer = await client.call(predictWithRun, { params, body: { test_samples: 3 } });
    expect(answer).toMatchObject({ run_id: made.id, weights: "weights/model.safetensors" });
    expect(answer.predictions.map(({ input }) => input)).toEqual(["test:0", "test:1", "test:2"]);
    const ended = await untilRun(server, made.id, ({ attempts }) => attempts[0]?.state === "ended");
    expect(ended.attempts[0]?.exit).toMatchObject({ exit_code: 0, reason: null });
  });

  it("pauses, resumes, stops with a checkpoint, and goes on from it as a new attempt", async () => {
    const server = await serverWithWorkers();
    const { id } = await train(server, LONG);
    await untilRun(server, id, ({ progress }) => (progress?.epoch ?? 0) >= 2);
    expect((await control(server, id, "pause")).command?.state).toBe("sent");
    await untilRun(server, id, ({ state }) => state === "paused");
    await expect(control(server, id, "pause")).rejects.toMatchObject({
      code: "run-state-conflict",
    });
    await control(server, id, "resume");
    await untilRun(server, id, ({ state }) => state === "running");
    await control(server, id, "stop");
    const stopped = await untilRun(
      server,
      id,
      ({ state, attempts }) =>
        state === "stopped" && attempts.every((attempt) => attempt.state === "ended"),
    );
    const { commands } = await server.client.call(listRunCommands, {
      params: { run_id: String(id) },
    });
    expect(commands.map(({ action, state }) => [action, state])).toEqual([
      ["pause", "done"],
      ["resume", "done"],
      ["stop", "done"],
    ]);
    expect(stopped.error).toBeNull();

    await server.client.call(resumeRun, { params: { run_id: String(id) } });
    const resumed = await untilRun(server, id, ({ attempts }) => attempts[1]?.first_step != null);
    expect(resumed.attempts[1]?.first_step).toBeGreaterThan(0);
    await untilRun(server, id, ({ state }) => state === "running");
  });

  it("waits while another trains and says why", async () => {
    const server = await serverWithWorkers();
    const first = await train(server, LONG);
    await untilRun(server, first.id, ({ state }) => state === "running");
    const second = await train(server, LONG);
    const waiting = await untilRun(server, second.id, ({ reason }) => reason !== null);
    expect(waiting.reason).toContain(`run ${first.id}`);
    const queue = await server.client.call(getQueue, {});
    expect(queue.running.map(({ job_id }) => job_id)).toEqual([first.id]);
    expect(queue.waiting.map(({ job_id, position }) => [job_id, position])).toEqual([
      [second.id, 1],
    ]);
    await control(server, second.id, "cancel");
    expect((await untilRun(server, second.id, () => true)).state).toBe("cancelled");
  });

  it("fails within 15 s with its last lines when the worker is killed", async () => {
    const server = await serverWithWorkers();
    const { id } = await train(server, LONG);
    await untilRun(server, id, ({ progress }) => (progress?.epoch ?? 0) >= 3);
    process.kill(supervisorFile(server, id).worker_pid, "SIGKILL");
    const failed = await waitUntil(
      () => server.client.call(getRun, { params: { run_id: String(id) } }),
      ({ state, error }) => state === "failed" && error?.traceback != null,
      15_000,
    );
    expect(failed.reason).toContain("SIGKILL");
    expect(failed.error?.traceback).toContain("epoch 1/");
  });

  it("goes on under a new supervisor when its own is killed, and says so", async () => {
    const server = await serverWithWorkers();
    const { id } = await train(server, LONG);
    await untilRun(server, id, ({ progress }) => (progress?.epoch ?? 0) >= 1);
    const before = supervisorFile(server, id);
    process.kill(before.pid, "SIGKILL");
    const told = await untilRun(server, id, ({ reason }) => reason !== null);
    expect(told.state).toBe("running");
    const after = await waitUntil(
      () => supervisorFile(server, id),
      ({ pid }) => pid !== before.pid,
    );
    expect(after.worker_pid).toBe(before.worker_pid);
    const { progress } = told;
    await untilRun(server, id, (run) => (run.progress?.step ?? 0) > (progress?.step ?? 0));
    await control(server, id, "stop");
    const stopped = await untilRun(server, id, ({ state }) => state === "stopped");
    expect(stopped.error).toBeNull();
  });

  it("is failed when worker and supervisor are both killed", async () => {
    const server = await serverWithWorkers();
    const { id } = await train(server, LONG);
    await untilRun(server, id, ({ progress }) => (progress?.epoch ?? 0) >= 1);
    const { pid, worker_pid: workerPid } = supervisorFile(server, id);
    process.kill(pid, "SIGKILL");
    process.kill(workerPid, "SIGKILL");
    const failed = await untilRun(server, id, ({ state }) => state === "failed");
    expect(failed.error).not.toBeNull();
  });

  it("ends at once and unsaved when it is cancelled", async () => {
    const server = await serverWithWorkers();
    const { id } = await train(server, LONG);
    await untilRun(server, id, ({ progress }) => (progress?.epoch ?? 0) >= 1);
    await control(server, id, "cancel");
    const ended = await untilRun(server, id, ({ state }) => state === "stopped");
    expect(ended.reason).toBe("Stopped as asked.");
  });
});
