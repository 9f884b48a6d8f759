// The machine's clock is set by days while a run trains: nothing ends for it, nothing waits for it, and no point is lost.
import { controlTraining, createRun, listRunCommands } from "@spotter/contract";
import { expect, it } from "vitest";
import { House } from "./harness/house.ts";
import { RawReader } from "./harness/raw-reader.ts";
import { HouseClock } from "./harness/set-clock.ts";
import { until } from "./harness/until.ts";

const DAY_S = 86_400;

it("a clock that jumps ends no run, holds nothing up, and loses no point", async () => {
  const clock = new HouseClock();
  const house = await House.open({ env: clock.env });
  const { id } = await house.client.call(createRun, {
    body: {
      ...{ recipe: "vision", name: "through the jumps", limits: { time_s: 3_600, attempts: 3 } },
      config: { epochs: 20_000, batch_size: 32, width: 6, checkpoint_every_epochs: 1 },
    },
  });
  const reader = new RawReader(house.url, house.token, id);
  await until("some batches have come", () => reader.lastCommit > 5);

  for (const jump of [2 * DAY_S, -2 * DAY_S]) {
    clock.set(jump);
    const before = reader.lastCommit;
    await until("the stream goes on", () => reader.lastCommit > before + 10);
    await house.client.call(controlTraining, { body: { action: "checkpoint", run_id: id } });
    await until("a command is carried out", async () => {
      const { commands } = await house.client.call(listRunCommands, { params: { run_id: id } });
      return commands.length > 0 && commands.every(({ state }) => state === "done");
    });
    expect(await house.run(id)).toMatchObject({ state: "running", attempts: [{ attempt: 1 }] });
  }

  // Its next attempt is due in ten seconds, and then the clock is set back by an hour.
  process.kill(house.processes(id).worker, "SIGKILL");
  await house.untilState(id, "queued");
  clock.set(-2 * DAY_S - 3_600);
  await until("the next attempt trains", async () => {
    const run = await house.run(id);
    return run.state === "running" && run.attempts.length === 2;
  });
  await house.client.call(controlTraining, { body: { action: "stop", run_id: id } });
  const ended = await house.untilState(id, "stopped");
  await until("the reader is at the end", () => reader.lastCommit === ended.commit_no);
  expect(reader.commitNumbers).toEqual(
    Array.from({ length: ended.commit_no }, (_, index) => index + 1),
  );
  await reader.close();
  await house.close();
});
