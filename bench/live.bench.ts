// Live streams: one broadcast to 1,000 SSE readers; and the server's part of log() → SSE with 50 readers at 100 points
// a second, beside 5,000 points a second of other load; and the whole way from log() in a worker to 50 SSE readers while
// that worker trains the digits. Run by `npm run bench -- live [--worker]`; `--worker` measures the whole way alone.
//
// Timed from just before the batch is written to its connection until the event has arrived at each reader; sender and
// readers are this one process, the server another, on the same machine. Warm-up: the first 5 batches are not counted.
// The whole way is timed from the clock that log() read, which is the point's own time, with supervisor and worker real;
// what is logged each second is shown. Warm-up: 5 s.
import { createRun, MetricAppended } from "@spotter/contract";
import { House } from "../e2e/harness/house.ts";
import { Connection, Source } from "./metrics/load.ts";
import { hasFlag, percentile, table } from "./metrics/report.ts";
import { SseCrowd } from "./metrics/sse-crowd.ts";

const WARM_UP_BATCHES = 5;
const WORKER = { readers: 50, warmUpMs: 5_000, measuredMs: 20_000, barP50: 40, barP99: 100 };
const rows: (string | number)[][] = [
  ["what", "readers", "events", "p50 ms", "p99 ms", "bar p99 ms", ""],
];
let isBelow = false;

const house = await House.open();
try {
  if (!hasFlag("worker")) await benchServer();
  await benchWorker();
} finally {
  await house.close();
}
table(rows);
process.exitCode = isBelow ? 1 : 0;

interface Case {
  readonly what: string;
  readonly readers: number;
  readonly batches: number;
  readonly everyMs: number;
  readonly bar: number;
  /** Points a second of another run. */
  readonly load: number;
}

async function benchServer(): Promise<void> {
  await bench({
    what: "one broadcast",
    readers: 1000,
    batches: 45,
    everyMs: 200,
    bar: 35,
    load: 0,
  });
  await bench({
    what: "100 points/s, beside 5,000 points/s",
    readers: 50,
    batches: 1000,
    everyMs: 10,
    bar: 15,
    load: 5000,
  });
}

async function benchWorker(): Promise<void> {
  const run = await house.train({ epochs: 200 });
  await house.untilState(run.id, "running");
  const crowd = await SseCrowd.open(house.url, house.token, run.id, WORKER.readers);
  await until(performance.now() + WORKER.warmUpMs);
  const from = performance.now();
  await until(from + WORKER.measuredMs);
  const to = performance.now();
  const wallClock = Date.now() - performance.now();
  crowd.close();
  const { state } = await house.run(run.id);
  if (state !== "running") throw new Error(`The worker trained no longer: it is ${state}.`);
  const latencies: number[] = [];
  const steps = new Set<number>();
  let numPoints = 0;
  const logged = new Map([...crowd.events].map(([commitNo, text]) => [commitNo, loggedIn(text)]));
  const counted = new Set<number>();
  for (const { commitNo, at } of crowd.arrivals) {
    const points = logged.get(commitNo);
    if (points === undefined || at < from || at > to) continue;
    for (const time of points.times) latencies.push(wallClock + at - time * 1000);
    if (counted.has(commitNo)) continue;
    counted.add(commitNo);
    numPoints += points.count;
    for (const step of points.steps) steps.add(step);
  }
  const seconds = (to - from) / 1000;
  const rate = `${Math.round(numPoints / seconds)} points/s of ${Math.round(steps.size / seconds)} steps/s`;
  const p50 = percentile(latencies, 50);
  const p99 = percentile(latencies, 99);
  const isGood = latencies.length > 0 && p50 < WORKER.barP50 && p99 < WORKER.barP99;
  isBelow ||= !isGood;
  rows.push([
    ...[`log() in a training worker, ${rate}`, WORKER.readers, latencies.length],
    ...[p50.toFixed(1), p99.toFixed(1), `${WORKER.barP99}, p50 ${WORKER.barP50}`],
    isGood ? "ok" : "BELOW",
  ]);
}

/** When the points of an event were logged: one time a call. */
function loggedIn(text: string): { times: Set<number>; steps: Set<number>; count: number } {
  const { series } = MetricAppended.parse(JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? "null"));
  const columns = Object.values(series);
  return {
    times: new Set(columns.flatMap(({ time }) => time)),
    steps: new Set(columns.flatMap(({ step }) => step)),
    count: columns.reduce((sum, { step }) => sum + step.length, 0),
  };
}

async function bench({ what, readers, batches, everyMs, bar, load }: Case): Promise<void> {
  const { id } = await house.client.call(createRun, { body: { name: what } });
  const crowd = await SseCrowd.open(house.url, house.token, id, readers);
  const other = startLoad(load);
  const source = new Source({ numSeries: 1, pointsASeries: 1 }, 0);
  const connection = await Connection.open(house.url);
  const sentAt: number[] = [];
  const startedAt = performance.now();
  for (let batch = 0; batch < batches; batch += 1) {
    await until(startedAt + batch * everyMs);
    const body = source.body(batch);
    sentAt[batch + 1] = performance.now();
    await connection.post(`/api/runs/${id}/events`, house.token, body);
  }
  await until(performance.now() + 1_000);
  await other.stop();
  crowd.close();
  connection.close();
  const counted = crowd.arrivals.filter(({ commitNo }) => commitNo > WARM_UP_BATCHES);
  const latencies = counted.map(({ commitNo, at }) => at - (sentAt[commitNo] ?? 0));
  const p99 = percentile(latencies, 99);
  const isAll = counted.length === readers * (batches - WARM_UP_BATCHES);
  if (!isAll)
    throw new Error(
      `${counted.length} events arrived of ${readers * (batches - WARM_UP_BATCHES)}.`,
    );
  isBelow ||= p99 >= bar;
  rows.push([
    ...[what, readers, counted.length, percentile(latencies, 50).toFixed(1), p99.toFixed(1), bar],
    p99 < bar ? "ok" : "BELOW",
  ]);
}

/** Ten batches a second of one other run. */
function startLoad(pointsASecond: number): { stop(): Promise<void> } {
  let isOn = pointsASecond > 0;
  const running = (async () => {
    if (!isOn) return;
    const { id } = await house.client.call(createRun, { body: { name: "other load" } });
    const source = new Source({ numSeries: 10, pointsASeries: pointsASecond / 100 }, 1);
    const connection = await Connection.open(house.url);
    const startedAt = performance.now();
    for (let batch = 0; isOn; batch += 1) {
      await until(startedAt + batch * 100);
      await connection.post(`/api/runs/${id}/events`, house.token, source.body(batch));
    }
    connection.close();
  })();
  return {
    async stop() {
      isOn = false;
      await running;
    },
  };
}

async function until(time: number): Promise<void> {
  const waitMs = time - performance.now();
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
}
