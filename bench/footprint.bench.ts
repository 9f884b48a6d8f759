// Memory and CPU of the production bundle: idle, and with 50 clients and one normal run. `npm run bench -- footprint
// [idle minutes] [--busy]`; `--busy` measures the busy minutes alone.
//
// Load: first nothing for ten minutes; then 50 SSE readers of the whole stream of one run: a normal one, about 100
// points/s as the live bars have it (a wide network on the digits, some 10 steps/s), and then, without a bar, the
// fastest that we have (the small network, some 70 steps/s). Warm-up: none for the idle server; 60 s for a busy one,
// until V8 has compiled what is hot. Reference: the process itself at its first second. Points and commits a second
// are shown, since the cost is each commit's.
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { controlTraining } from "@spotter/contract";
import { House } from "../e2e/harness/house.ts";
import { RawReader } from "../e2e/harness/raw-reader.ts";
import { hasFlag, processorSeconds } from "./metrics/report.ts";

const IDLE_MINUTES = hasFlag("busy") ? 0 : Number(process.argv[2] ?? 10);
const IDLE_BAR_MB = 100;
const BUSY_BAR_MB = 160;
const BUSY_BAR_CPU = 5;
const TICKS_A_SECOND = 100;
const WARM_UP_MS = 60_000;
const NORMAL = { epochs: 1000, width: 128 } as const;
const FASTEST = { epochs: 1000 } as const;

const house = await House.open({ env: { SPOTTER_LOG_LEVEL: "error" } });
let isGood = true;
try {
  const pid = (JSON.parse(readFileSync(`${house.home}/server.json`, "utf8")) as { pid: number })
    .pid;
  console.log(`at the start: ${residentMb(pid).toFixed(0)} MB`);
  if (IDLE_MINUTES > 0) await measureIdle(pid);
  await measureBusy(pid, "a normal run", NORMAL, true);
  await measureBusy(pid, "the fastest run", FASTEST, false);
} finally {
  await house.close();
}
process.exitCode = isGood ? 0 : 1;

async function measureIdle(pid: number): Promise<void> {
  const from = cpuSeconds(pid);
  for (let minute = 1; minute <= IDLE_MINUTES; minute += 1) {
    await delay(60_000);
    console.log(`idle for ${minute} min: ${residentMb(pid).toFixed(0)} MB`);
  }
  say("idle memory", residentMb(pid), "MB", IDLE_BAR_MB);
  const share = (100 * (cpuSeconds(pid) - from)) / (IDLE_MINUTES * 60);
  console.log(`idle CPU: ${share.toFixed(2)} % of a core`);
}

async function measureBusy(
  pid: number,
  load: string,
  config: Record<string, string | number>,
  hasBar: boolean,
): Promise<void> {
  const run = await house.train(config);
  await house.untilState(run.id, "running");
  const readers = Array.from({ length: 50 }, () => new RawReader(house.url, house.token, run.id));
  while (readers.some((reader) => reader.lastCommit === 0)) await delay(100);
  await delay(WARM_UP_MS);
  const from = cpuSeconds(pid);
  const threadsFrom = processorSeconds(pid);
  const pointsFrom = (await house.run(run.id)).num_points;
  const firstCommit = readers[0]?.lastCommit ?? 0;
  const startedAt = performance.now();
  let peak = 0;
  while (performance.now() - startedAt < 60_000) {
    peak = Math.max(peak, residentMb(pid));
    await delay(1000);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const share = (100 * (cpuSeconds(pid) - from)) / seconds;
  const numPoints = (await house.run(run.id)).num_points - pointsFrom;
  const numCommits = (readers[0]?.lastCommit ?? 0) - firstCommit;
  say(`memory with 50 clients and ${load}`, peak, "MB", hasBar ? BUSY_BAR_MB : undefined);
  say(`CPU with 50 clients and ${load}`, share, "% of a core", hasBar ? BUSY_BAR_CPU : undefined);
  const threads = [...processorSeconds(pid)]
    .map(([thread, used]) => used - (threadsFrom.get(thread) ?? 0))
    .filter((used) => used > 0.05)
    .map((used) => `${((100 * used) / seconds).toFixed(1)} %`);
  const rates = `${(numPoints / seconds).toFixed(0)} points/s in ${(numCommits / seconds).toFixed(1)} commits/s`;
  console.log(`${rates}; by thread: ${threads.join(", ")}`);
  await Promise.all(readers.map((reader) => reader.close()));
  await house.client.call(controlTraining, { body: { action: "cancel", run_id: run.id } });
  await house.untilState(run.id, "stopped", "cancelled");
}

function say(what: string, value: number, unit: string, bar?: number): void {
  const isBelow = bar === undefined || value < bar;
  isGood &&= isBelow;
  const judged = bar === undefined ? "" : ` (bar ${bar}) ${isBelow ? "ok" : "ABOVE ITS BAR"}`;
  console.log(`${what}: ${value.toFixed(1)} ${unit}${judged}`);
}

function residentMb(pid: number): number {
  const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1] ?? 0) / 1024;
}

/** User and system time that a process has used, in seconds. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}
