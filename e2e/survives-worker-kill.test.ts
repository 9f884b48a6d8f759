// A worker or a supervisor is killed: the run says so, with its last log lines, and never hangs as "running".
import { controlTraining, createRun, listRunLogs, resumeRun } from "@spotter/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { House } from "./harness/house.ts";
import { until } from "./harness/until.ts";

describe("processes that are killed", () => {
  let house: House;
  beforeAll(async () => {
    house = await House.open();
  });
  afterAll(() => house.close());

  it("a killed worker fails its run within 15 seconds, with the signal and the last log lines", async () => {
    const run = await house.train({ epochs: 400, batch_size: 16, checkpoint_every_epochs: 1 });
    await until(
      "it has trained two epochs",
      async () => ((await house.run(run.id)).progress?.epoch ?? 0) > 2,
    );
    const pid = house.processes(run.id).worker;
    const killedAt = performance.now();
    process.kill(pid, "SIGKILL");
    const failed = await until("the run has failed", async () => {
      const now = await house.run(run.id);
      return now.state === "failed" ? now : undefined;
    });
    // The bound is a promise to the user, not a speed claim: 15 s, then it must be told.
    expect(performance.now() - killedAt).toBeLessThan(15_000);
    expect(failed.attempts[0]?.exit?.signal).toBe("SIGKILL");
    expect(failed.reason).toMatch(/SIGKILL|killed/i);
    const logs = await house.client.call(listRunLogs, { params: { run_id: run.id } });
    expect(logs.lines.length).toBeGreaterThan(0);

    const resumed = await house.client.call(resumeRun, { params: { run_id: run.id } });
    expect(resumed.attempts.length).toBeGreaterThanOrEqual(1);
    const second = await until("the second attempt trains on from the checkpoint", async () => {
      const now = await house.run(run.id);
      const attempt = now.attempts.find((candidate) => candidate.attempt === 2);
      return attempt !== undefined &&
        (attempt.first_step ?? 0) > 0 &&
        (now.progress?.step ?? 0) > (attempt.first_step ?? 0)
        ? now
        : undefined;
    });
    expect(second.state).toBe("running");
    process.kill(house.processes(run.id, 2).worker, "SIGKILL");
    await house.untilState(run.id, "failed");
  });

  it("a paused training comes back paused where worker and server were killed together", async () => {
    const config = { epochs: 4000, batch_size: 16, checkpoint_every_epochs: 1 };
    const body = { recipe: "vision" as const, config, limits: { attempts: 2 } };
    const { id } = await house.client.call(createRun, { body });
    await until("it trains", async () => ((await house.run(id)).progress?.epoch ?? 0) > 1);
    await house.client.call(controlTraining, { body: { action: "pause", run_id: id } });
    await house.untilState(id, "paused");
    const { worker } = house.processes(id);
    await house.kill();
    process.kill(worker, "SIGKILL");
    await house.start();
    const back = await until("it is paused again", async () => {
      const now = await house.run(id);
      return now.attempts.length === 2 && now.state === "paused" ? now : undefined;
    });
    expect(back.attempts[1]?.first_step ?? 0).toBeGreaterThan(0);
    await house.client.call(controlTraining, { body: { action: "resume", run_id: id } });
    await house.untilState(id, "running");
    await house.client.call(controlTraining, { body: { action: "cancel", run_id: id } });
  });

  it("a killed supervisor is found and replaced, and the worker trains on", async () => {
    const run = await house.train({ epochs: 400, batch_size: 16 });
    await until("it trains", async () => ((await house.run(run.id)).progress?.epoch ?? 0) > 1);
    const { supervisor, worker } = house.processes(run.id);
    process.kill(supervisor, "SIGKILL");
    await until("another supervisor has taken over", () => {
      const now = house.processes(run.id).supervisor;
      return now !== supervisor && isAlive(now);
    });
    expect(isAlive(worker)).toBe(true);
    const { reason, state } = await until("the run tells of it", async () => {
      const now = await house.run(run.id);
      return now.reason === null ? undefined : now;
    });
    expect(state).toBe("running");
    expect(reason).toMatch(/supervisor/i);
    const step = (await house.run(run.id)).progress?.step ?? 0;
    await until(
      "it still trains",
      async () => ((await house.run(run.id)).progress?.step ?? 0) > step,
    );
    process.kill(worker, "SIGKILL");
    await house.untilState(run.id, "failed");
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
