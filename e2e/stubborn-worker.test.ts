// What ignores every polite word is ended all the same, with all that it started, in bounded time.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { controlTraining, createRun } from "@spotter/contract";
import { afterAll, beforeAll, expect, it } from "vitest";
import { House } from "./harness/house.ts";
import { isAlive, leftIn } from "./harness/house-processes.ts";
import { until } from "./harness/until.ts";

/** A worker that hangs is asked for a minute and signalled for half of one; the short test cancels instead. */
const PATIENT = process.env.SPOTTER_CHAOS_KILLS !== undefined;
const BOUND_MS = 150_000;

/** Ignores signals and starts a child of its own session that does too; both say who they are. */
const STUBBORN = `
import os, signal, subprocess, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
if len(sys.argv) == 1:
    child = subprocess.Popen([sys.executable, __file__, "child"], start_new_session=True)
    pids = os.path.join(os.path.dirname(__file__), "pids")
    with open(pids + ".new", "w") as file:
        file.write(f"{os.getpid()} {child.pid}")
    os.rename(pids + ".new", pids)
time.sleep(3600)
`;

let house: House;
beforeAll(async () => {
  house = await House.open();
});
afterAll(() => house.close());

it("a program that ignores SIGTERM and SIGINT is killed with all that it started", async () => {
  const program = join(house.home, "stubborn.py");
  writeFileSync(program, STUBBORN);
  const config = { command: ["python3", program] };
  const body = { recipe: "command" as const, name: "stubborn", config };
  const { id } = await house.client.call(createRun, { body });
  const pids = await until("both say who they are", () => {
    try {
      return readFileSync(join(house.home, "pids"), "utf8").split(" ").map(Number);
    } catch {
      return undefined;
    }
  });
  expect(pids.map(isAlive)).toEqual([true, true]);
  await house.client.call(controlTraining, { body: { action: "stop", run_id: id } });
  await until("both are gone", () => !pids.some(isAlive), BOUND_MS);
  await house.untilState(id, "stopped");
  await until("nobody of the run is left", () => leftIn(`${house.home}/`).length === 0);
});

it("a worker that hangs, deaf to every signal but one, is killed and its place is free again", async () => {
  const { id } = await house.train({ epochs: 20_000, batch_size: 32, width: 6 });
  await until("it trains", async () => ((await house.run(id)).progress?.step ?? 0) > 0);
  const { worker } = house.processes(id);
  process.kill(worker, "SIGSTOP");
  const action = PATIENT ? "stop" : "cancel";
  await house.client.call(controlTraining, { body: { action, run_id: id } });
  await until("the worker is gone", () => !isAlive(worker), BOUND_MS);
  await until(
    "the run says so",
    async () => (await house.run(id)).attempts.every(({ state }) => state === "ended"),
    BOUND_MS,
  );
  expect((await house.run(id)).state).toBe("stopped");
  const next = await house.train({ epochs: 1, batch_size: 32, width: 6 });
  await house.untilState(next.id, "finished");
});
