// A house under random kills: twins undisturbed first, then a queue of short jobs while server, supervisors and workers are
// killed, then the verdict.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { getQueue, type Run } from "@spotter/contract";
import { House } from "../harness/house.ts";
import { leftIn } from "../harness/house-processes.ts";
import { seededRandom } from "../harness/rough-proxy.ts";
import { readTruths } from "../harness/truth.ts";
import { until } from "../harness/until.ts";
import { fakeGpus } from "./fake-gpus.ts";
import { submit, VARIANTS, variantOf } from "./jobs.ts";
import { Killer, type Tally } from "./kills.ts";
import { type Expected, faultsOf, heldResources, originalOf, portIsFree } from "./verdict.ts";
import { Watch } from "./watch.ts";

export interface ChaosOptions {
  readonly seed: number;
  readonly kills: number;
  readonly jobs: number;
  readonly pauseMs: number;
  readonly lossesPerJob: 1 | 2;
  readonly say: (line: string) => void;
}

export interface ChaosReport {
  readonly faults: readonly string[];
  readonly tally: Tally;
  readonly numAttempts: number;
  readonly numFinished: number;
}

/** Long: each loss of a job is followed by a pause of 10, then 20 seconds. */
const SETTLE_MS = 30 * 60_000;
const NUM_AT_ONCE = 2;

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, say } = options;
  const tools = fakeGpus(2);
  const folder = mkdtempSync(join(tmpdir(), "spotter-chaos-"));
  const truthFile = join(folder, "truth.jsonl");
  const house = await House.open({
    env: {
      SPOTTER_TRUTH_FILE: truthFile,
      PATH: `${tools}${delimiter}${process.env.PATH ?? ""}`,
      CUDA_VISIBLE_DEVICES: "0,1",
    },
  });
  const twins = await trainTwins(house);
  say(`seed ${seed}: the undisturbed twins are trained`);

  const watch = new Watch(house.home);
  const ids: number[] = [];
  const isDue = (kill: number) =>
    numDone(house, ids) >= Math.floor(((kill - 1) / options.kills) * options.jobs) - NUM_AT_ONCE;
  const killer = new Killer(house, { ...options, isDue, random: seededRandom(seed) });
  for (let index = 0; index < options.jobs; index += 1)
    ids.push((await submit(house, `chaos ${index}`, variantOf(index))).id);
  await killer.run();
  say(`killed: ${JSON.stringify(killer.tally)}; now everything may end`);
  await untilSettled(house);
  await watch.end();

  const runs = await Promise.all(ids.map((id) => house.run(id)));
  const faults = [...watch.faults, ...(await heldResources(house))];
  const truths = readTruths(truthFile);
  for (const [index, run] of runs.entries())
    faults.push(...(await faultsOf(house, run, truths, twins[variantOf(index)] as Expected)));
  faults.push(...(await leftAfterStop(house, tools)));
  if (faults.length === 0) {
    await house.close();
    for (const one of [tools, folder]) rmSync(one, { recursive: true, force: true });
  } else say(`kept for a look: ${house.home} and ${folder}`);
  return {
    ...{ faults, tally: killer.tally },
    numAttempts: runs.reduce((sum, { attempts }) => sum + attempts.length, 0),
    numFinished: runs.filter(({ state }) => state === "finished").length,
  };
}

async function trainTwins(house: House): Promise<Expected[]> {
  const runs: Run[] = [];
  for (const variant of VARIANTS) runs.push(await submit(house, `twin ${variant}`, variant));
  await untilSettled(house);
  for (const { id } of runs) await house.untilState(id, "finished");
  return Promise.all(runs.map(({ id }) => originalOf(house, id)));
}

/** Asked of the disk: the server may be down. */
function numDone(house: House, ids: readonly number[]): number {
  const isDone = (id: number) =>
    existsSync(join(house.home, "runs", String(id), "weights", "model.json"));
  return ids.filter(isDone).length;
}

/** Every job has ended, and with it every process of it. */
async function untilSettled(house: House): Promise<void> {
  await until(
    "every job has ended",
    async () => {
      const { running, waiting } = await house.client.call(getQueue, {});
      return running.length + waiting.length === 0;
    },
    SETTLE_MS,
  );
  await until("every process of a job has ended", () => leftIn(`${house.home}/`).length === 0);
}

async function leftAfterStop(house: House, tools: string): Promise<string[]> {
  await house.stop();
  await until(
    "what the server started has ended with it",
    () => leftIn(tools).length === 0,
    20_000,
  ).catch(() => undefined);
  const orphans = [...leftIn(`${house.home}/`), ...leftIn(tools)];
  const faults = orphans.map((one) => `an orphan process is left: ${one}`);
  const port = Number(new URL(house.url).port);
  if (!(await portIsFree(port))) faults.push(`port ${port} is still taken`);
  return faults;
}
