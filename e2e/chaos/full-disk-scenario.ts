// The story of a disk that becomes full under server, supervisor and worker, told in a mount namespace of its own: a small
// real disk (tmpfs) carries the data folder. Prints what it has seen and exits with 1 at the first thing that is wrong.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ApiError } from "@spotter/client";
import {
  controlTraining,
  createRun,
  getHealth,
  listRunFiles,
  resumeRun,
  sendRunEvents,
} from "@spotter/contract";
import { House } from "../harness/house.ts";
import { readStored } from "../harness/truth.ts";
import { until } from "../harness/until.ts";

/** Workers want 256 MiB to spare beside a checkpoint. */
const DISK_MB = 420;
const POINTS_A_BATCH = 4_000;

const [folder = ""] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MB}m`, "tmpfs", folder]);
// Houses are built in the folder for temporary things.
process.env.TMPDIR = folder;
const say = (line: string) => process.stdout.write(`${line}\n`);

const house = await House.open();
const own = await house.client.call(createRun, { body: { name: "own script" } });
const trained = await house.train({
  ...{ epochs: 20_000, batch_size: 32, width: 6, checkpoint_every_epochs: 5, keep_checkpoints: 3 },
});
const acknowledged: number[] = [];
const checkpoints = () => readdirSync(join(house.home, "runs", String(trained.id), "checkpoints"));
for (let seq = 1; seq <= 3; seq += 1) await send(seq);
await until("two checkpoints are told", async () => {
  const { files } = await house.client.call(listRunFiles, { params: { run_id: trained.id } });
  return files.filter(({ kind }) => kind === "checkpoint").length >= 2;
});

const filler = join(folder, "filler");
fill(filler);
say("the disk is full");
let refusal: unknown;
for (let seq = 4; refusal === undefined; seq += 1) {
  assert.ok(seq < 2_000, "a full disk takes everything");
  await send(seq).catch((error: unknown) => {
    refusal = error;
  });
}
assert.ok(refusal instanceof ApiError, `refused in another way: ${refusal}`);
assert.deepEqual([refusal.code, refusal.status], ["disk-full", 507]);
say(`refused after batch ${acknowledged.length}: ${refusal.message}`);
await house.client.call(getHealth, {});
assert.equal((await house.run(own.id)).state, "running");

const { worker } = house.processes(trained.id);
let before = ticksOf(worker);
await until("the worker has given up for want of room, and waits to say so", async () => {
  await delay(1_000);
  const used = ticksOf(worker) - before;
  before += used;
  return used < 20;
});
say(`the server and the worker are there; checkpoints on disk: ${checkpoints().join(", ")}`);
rmSync(filler);
say("there is room again");

await send(acknowledged.length + 1);
const stored = await until("what was acknowledged is stored", () => readStored(house, own.id));
assert.equal(stored.get("loss")?.length, acknowledged.length * POINTS_A_BATCH);
const failed = await house.untilState(trained.id, "failed");
assert.equal(failed.error?.kind, "disk-full", JSON.stringify(failed.error));
assert.match(failed.error?.hint ?? "", /Free some disk space/);
say(`the run failed with: ${failed.error?.message}`);
assert.ok(
  checkpoints().every((name) => /^step-\d+$/.test(name)),
  "a checkpoint is half written",
);
await until("its processes have ended", async () =>
  (await house.run(trained.id)).attempts.every(({ state }) => state === "ended"),
);
await house.client.call(resumeRun, { params: { run_id: trained.id } });
const resumed = await until("it trains on from the checkpoint before", async () => {
  const run = await house.run(trained.id);
  return (run.attempts[1]?.first_step ?? 0) > 1 && run.state === "running" ? run : undefined;
});
say(`attempt 2 goes on at step ${resumed.attempts[1]?.first_step}`);
await house.client.call(controlTraining, { body: { action: "stop", run_id: trained.id } });
await house.untilState(trained.id, "stopped");
await house.close();
say("done");
process.exit(0);

async function send(seq: number): Promise<void> {
  const numbers = Array.from(
    { length: POINTS_A_BATCH },
    (_, index) => seq * POINTS_A_BATCH + index,
  );
  const series = {
    step: numbers,
    time: numbers.map((number) => 1_795_000_000 + Math.sin(number)),
    value: numbers.map(Math.sin),
  };
  await house.client.call(sendRunEvents, {
    params: { run_id: own.id },
    body: {
      ...{ protocol: 1, attempt: 1, seq },
      events: [{ type: "metric-points", series: { loss: series } }],
    },
  });
  acknowledged.push(seq);
}

/** Processor time of a process, in hundredths of a second. */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** To the last byte. */
function fill(file: string): void {
  const descriptor = openSync(file, "w");
  for (let size = 2 ** 20; size >= 1; size = Math.floor(size / 2)) {
    const block = Buffer.alloc(size, 1);
    try {
      for (;;) writeSync(descriptor, block);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
  closeSync(descriptor);
}
