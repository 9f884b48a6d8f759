// TensorBoard folders while they are written, followed by the command line and by the server: every point once, whoever
// is killed in between.
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eachPoint, fetchRun, fetchRuns } from "@spotter/client";
import {
  followTensorboardFolder,
  listTensorboardFolders,
  unfollowTensorboardFolder,
} from "@spotter/contract";
import { EventFileWriter } from "@spotter/tfevents";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CommandLine } from "./harness/command-line.ts";
import { House } from "./harness/house.ts";
import { until } from "./harness/until.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "spotter-logdirs-")));
let house: House;
let cli: CommandLine;
beforeAll(async () => {
  house = await House.open({ env: { SPOTTER_DATA_ROOTS: folder } });
  cli = new CommandLine({ SPOTTER_URL: house.url, SPOTTER_TOKEN: house.token });
});
afterAll(async () => {
  cli.remove();
  await house.close();
  rmSync(folder, { recursive: true });
});

/** Writes as torch does. */
class Training {
  readonly #file: string;
  readonly #writer = new EventFileWriter();
  #step: number;

  constructor(logdir: string, number = 1, firstStep = 0) {
    mkdirSync(logdir, { recursive: true });
    this.#file = join(logdir, `events.out.tfevents.${1_700_000_000 + number}.host.1.0`);
    this.#step = firstStep;
    const now = Date.now() / 1000;
    writeFileSync(this.#file, this.#writer.fileVersion(now));
    const hyperparameters = { lr: 0.5, optimizer: "sgd" };
    appendFileSync(this.#file, this.#writer.sessionStart({ hyperparameters }, now));
  }

  /** @returns the next step */
  log(count: number): number {
    for (const end = this.#step + count; this.#step < end; this.#step += 1) {
      const values = { "train/loss": 1 / (1 + this.#step) };
      const point = { step: this.#step, wallTime: Date.now() / 1000, values };
      const record = this.#writer.scalars(point);
      // In two halves: a reader may come in between.
      appendFileSync(this.#file, record.subarray(0, 20));
      appendFileSync(this.#file, record.subarray(20));
    }
    return this.#step;
  }
}

async function storedSteps(runId: number): Promise<[attempt: number, step: number][]> {
  const steps: [number, number][] = [];
  for await (const { attempt, step, value } of eachPoint(house.client, runId, "train/loss")) {
    expect(value).toBeCloseTo(1 / (1 + step), 6);
    steps.push([attempt, step]);
  }
  return steps;
}

function firstAttempt(count: number): [number, number][] {
  return Array.from({ length: count }, (_, step) => [1, step]);
}

function untilStored(runId: number, count: number): Promise<unknown> {
  return until(`${count} points are stored`, async () => {
    return (await fetchRun(house.client, runId)).num_points >= count;
  });
}

async function runNamed(name: string) {
  return until(`the run ${name} is there`, async () => {
    const { runs } = await fetchRuns(house.client, { source: "tensorboard" });
    return runs.find((run) => run.name === name);
  });
}

it("spotter tensorboard goes on without loss or repeat after it was killed, and after the server was", async () => {
  const logdir = join(folder, "cli");
  const training = new Training(join(logdir, "a"));
  training.log(50);
  const command = ["tensorboard", logdir, "--interval", "0.1"];
  const first = cli.start(command);
  const run = await runNamed("cli/a");
  training.log(50);
  await untilStored(run.id, 100);
  training.log(50);
  await first.end("SIGKILL");
  training.log(50);

  const second = cli.start(command);
  await untilStored(run.id, 200);
  await house.kill();
  training.log(50);
  await until("it waits for the server", () => second.stdout.includes("nothing is lost"));
  await house.start();
  await untilStored(run.id, 250);
  // The training is started again from step 200, as from its checkpoint.
  new Training(join(logdir, "a"), 2, 200).log(20);
  await untilStored(run.id, 270);
  await until("the restart is stored", async () => {
    return (await fetchRun(house.client, run.id)).attempts.length === 2;
  });
  expect(await second.end("SIGINT")).toMatchObject({ code: 130 });

  const steps = await storedSteps(run.id);
  expect(steps.slice(0, 250)).toEqual(firstAttempt(250));
  expect(steps.slice(250)).toEqual(Array.from({ length: 20 }, (_, index) => [2, 200 + index]));
  const whole = await fetchRun(house.client, run.id);
  expect(whole.config).toMatchObject({ lr: 0.5, optimizer: "sgd" });
  expect(whole.state).toBe("running");
  expect(await cli.run(["tensorboard", logdir, "--once"])).toMatchObject({ code: 0, stderr: "" });
  expect((await fetchRun(house.client, run.id)).state).toBe("finished");
});

it("the server follows a folder, also through its own death, and refuses folders elsewhere", async () => {
  const logdir = join(folder, "server");
  const training = new Training(join(logdir, "b"));
  training.log(50);
  const add = (path: string) => house.client.call(followTensorboardFolder, { body: { path } });
  const added = await add(logdir);
  expect(added).toMatchObject({ path: logdir, state: "following" });
  await expect(add(logdir)).rejects.toMatchObject({ code: "folder-taken" });
  // The command line that comes second is refused as well.
  const second = await cli.run(["tensorboard", logdir, "--once"]);
  expect(second.code).toBe(2);
  expect(second.stderr).toContain("by itself already");
  await expect(add("/etc")).rejects.toMatchObject({ code: "path-not-allowed" });
  await expect(add(join(folder, "nowhere"))).rejects.toMatchObject({ code: "path-not-found" });

  const run = await runNamed("server/b");
  await untilStored(run.id, 50);
  training.log(100);
  await house.kill();
  training.log(100);
  await house.start();
  await untilStored(run.id, 250);
  expect(await storedSteps(run.id)).toEqual(firstAttempt(250));

  const { folders } = await house.client.call(listTensorboardFolders, {});
  expect(folders).toMatchObject([{ id: added.id, runs: [{ folder: "b", run_id: run.id }] }]);
  await house.client.call(unfollowTensorboardFolder, { params: { folder_id: added.id } });
  expect((await house.client.call(listTensorboardFolders, {})).folders).toEqual([]);
});
