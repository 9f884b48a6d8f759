// Live streams: one broadcast to 1,000 SSE readers; and the server's part of log() → SSE with 50 readers at 100 points
// a second, beside 5,000 points a second of other load. Run by `npm run bench -- live`.
//
// Timed from just before the batch is written to its connection until the event has arrived at each reader; sender and
// readers are this one process, the server another, on the same machine. Warm-up: the first 5 batches are not counted.
import { createRun } from "@spotter/contract";
import { House } from "../e2e/harness/house.ts";
import { Connection, Source } from "./metrics/load.ts";
import { percentile, table } from "./metrics/report.ts";
import { SseCrowd } from "./metrics/sse-crowd.ts";

const WARM_UP_BATCHES = 5;
const rows: (string | number)[][] = [
  ["what", "readers", "events", "p50 ms", "p99 ms", "bar p99 ms", ""],
];
let isBelow = false;

const house = await House.open();
try {
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
