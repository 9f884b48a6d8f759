// Ingest over HTTP into SQLite, durable (synchronous=FULL) and with sealing, every point verified afterwards.
//   npm run bench -- ingest [--seconds 60] [--peer]
//
// Load: 8 connections, each one run with one batch under way, sent by this process on the same machine as the server.
// Shapes: 10 series × 100 points a batch, and 1,000 series × 1 point. Values are float32, times jitter. Warm-up: 3 s
// that are not counted. Reference (`--peer`): the real MLflow server's log-batch and trackio, see metrics/peers.ts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createRun, listPoints } from "@spotter/contract";
import { House } from "../e2e/harness/house.ts";
import { Connection, type Shape, Source } from "./metrics/load.ts";
import { benchPeers } from "./metrics/peers.ts";
import { hasFlag, numberArgument, processorSeconds, table } from "./metrics/report.ts";

const CONNECTIONS = 8;
const WARM_UP_S = 3;
const SHAPES: { shape: Shape; bar: number }[] = [
  { shape: { numSeries: 10, pointsASeries: 100 }, bar: 900_000 },
  { shape: { numSeries: 1000, pointsASeries: 1 }, bar: 300_000 },
];

const seconds = numberArgument("seconds", 60);
const rows: (string | number)[][] = [
  [
    "batch shape",
    "points/s",
    "at least",
    "points",
    "verified",
    "p50 ms",
    "p99 ms",
    "server CPU s/M points",
  ],
];
let isBelow = false;
const rates: number[] = [];
for (const { shape, bar } of SHAPES) {
  const house = await House.open();
  try {
    const result = await ingest(house, shape);
    const numVerified = await verify(house, result.runs);
    const rate = Math.round(result.numTimed / result.elapsedS);
    rates.push(rate);
    isBelow ||= rate < bar || numVerified !== result.numPoints;
    rows.push([
      `${shape.numSeries} x ${shape.pointsASeries}`,
      rate,
      bar,
      result.numPoints,
      numVerified === result.numPoints ? "all" : `${numVerified} only`,
      result.p50.toFixed(1),
      result.p99.toFixed(1),
      result.processor,
    ]);
  } finally {
    await house.close();
  }
}
table(rows);
if (hasFlag("peer")) await benchPeers(rates[0] ?? 0);
process.exitCode = isBelow ? 1 : 0;

interface SentRun {
  readonly id: number;
  readonly source: Source;
  numBatches: number;
}

async function ingest(house: House, shape: Shape) {
  const runs: SentRun[] = [];
  for (let index = 0; index < CONNECTIONS; index += 1) {
    const { id } = await house.client.call(createRun, { body: { name: `load ${index}` } });
    runs.push({ id, source: new Source(shape, index), numBatches: 0 });
  }
  const { pid } = JSON.parse(readFileSync(join(house.home, "server.json"), "utf8"));
  const startedAt = performance.now() + WARM_UP_S * 1000;
  const endsAt = startedAt + seconds * 1000;
  const latencies: number[] = [];
  let numTimedBatches = 0;
  await Promise.all(
    runs.map(async (run) => {
      const connection = await Connection.open(house.url);
      while (performance.now() < endsAt) {
        const body = run.source.body(run.numBatches);
        const sentAt = performance.now();
        await connection.post(`/api/runs/${run.id}/events`, house.token, body);
        run.numBatches += 1;
        const now = performance.now();
        if (now < startedAt || now > endsAt) continue;
        latencies.push(now - sentAt);
        numTimedBatches += 1;
      }
      connection.close();
    }),
  );
  const processor = [...processorSeconds(pid).values()].filter((used) => used > 0.3);
  latencies.sort((a, b) => a - b);
  const points = shape.numSeries * shape.pointsASeries;
  const numPoints = runs.reduce((sum, run) => sum + run.numBatches, 0) * points;
  return {
    runs,
    // By thread, the busiest first: requests, writing, sealing.
    processor: processor
      .sort((a, b) => b - a)
      .map((used) => ((used * 1e6) / numPoints).toFixed(2))
      .join(" + "),
    numPoints,
    elapsedS: seconds,
    numTimed: numTimedBatches * points,
    p50: latencies[Math.floor(latencies.length / 2)] ?? 0,
    p99: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
  };
}

/** @returns how many points are stored just as they were sent */
async function verify(house: House, runs: readonly SentRun[]): Promise<number> {
  let numVerified = 0;
  for (const { id, source, numBatches } of runs)
    for (const [index, name] of source.names.entries())
      numVerified += await verifySeries(house, id, source, numBatches, index, name);
  return numVerified;
}

async function verifySeries(
  house: House,
  runId: number,
  source: Source,
  numBatches: number,
  index: number,
  name: string,
): Promise<number> {
  const { pointsASeries } = source.shape;
  let numVerified = 0;
  let offset: number | null = 0;
  let current = -1;
  let times: readonly number[] = [];
  let values: readonly number[] = [];
  while (offset !== null) {
    const page: {
      next_offset: number | null;
      step: number[];
      time: number[];
      value: unknown[];
      commit_no: number[];
    } = await house.client.call(listPoints, {
      params: { run_id: String(runId) },
      query: { name, offset: String(offset), limit: "100000" },
    });
    for (let at = 0; at < page.step.length; at += 1) {
      const batch = Math.floor((offset + at) / pointsASeries);
      const place = (offset + at) % pointsASeries;
      if (batch !== current) {
        current = batch;
        times = source.times(batch);
        values = source.values(batch, index);
      }
      const isSame =
        batch < numBatches &&
        page.step[at] === batch * pointsASeries + place &&
        page.time[at] === times[place] &&
        page.value[at] === values[place] &&
        page.commit_no[at] === batch + 1;
      if (isSame) numVerified += 1;
    }
    offset = page.next_offset;
  }
  return numVerified;
}
