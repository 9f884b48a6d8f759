// A series of 1,000,000 points: size on disk, first chart and zoom windows, cold and in the server's own code; and
// 100,000 metric names in one run: their tree, and what ingest costs beside a run with few. Run by `npm run bench -- series`.
//
// Load: float32 values around a falling curve, times that jitter by milliseconds, 1,000 batches of 1,000 points into
// the built server over HTTP; then the run ends, so that everything is sealed and merged. Reading: the database is
// opened anew for every window (SQLite's caches are empty, the system's are not); medians of 5. Exactness: every bucket
// is compared with the points that were sent.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createRun, type EventBatchInput, sendRunEvents } from "@spotter/contract";
import { sql } from "kysely";
import {
  MetricsService,
  MetricsStore,
  NamesStore,
} from "../apps/server/src/domains/metrics/index.ts";
import { openSqlite } from "../apps/server/src/platform/db/sqlite.ts";
import { House } from "../e2e/harness/house.ts";
import { Connection, Source } from "./metrics/load.ts";
import { median, percentile, table } from "./metrics/report.ts";

const NUM_BATCHES = 1_000;
const POINTS_A_BATCH = 1_000;
const NUM_POINTS = NUM_BATCHES * POINTS_A_BATCH;
const NUM_BUCKETS = 2_000;
const REPEATS = 5;
const BARS = { windowMs: 15, share: 0.05, megabytes: 8, treeMs: 100, ingestFactor: 2 };
const ENDED: EventBatchInput["events"] = [
  { type: "run-ended", time: 1_763_800_000, state: "finished" },
];

const rows: (string | number)[][] = [["what", "measured", "bar", ""]];
let isBelow = false;
const house = await House.open();
const threadFile = pathToFileURL(join(process.cwd(), "dist/server/db-thread.js"));
try {
  const source = new Source({ numSeries: 1, pointsASeries: POINTS_A_BATCH }, 0);
  const bytesBefore = await databaseBytes();
  const runId = await sendMillion(source);
  const bytesAfter = await databaseBytes();
  const megabytes = (bytesAfter - bytesBefore) / 1e6;
  report(
    "disk for 1,000,000 points, MB",
    megabytes.toFixed(2),
    BARS.megabytes,
    megabytes <= BARS.megabytes,
  );
  await benchWindows(runId, source, bytesAfter - bytesBefore);
  await benchNames();
} finally {
  await house.close();
}
table(rows);
process.exitCode = isBelow ? 1 : 0;

function report(what: string, measured: string, bar: number, isGood: boolean): void {
  rows.push([what, measured, bar, isGood ? "ok" : "BELOW"]);
  isBelow ||= !isGood;
}

async function sendMillion(source: Source): Promise<number> {
  const { id } = await house.client.call(createRun, { body: { name: "a million" } });
  const connection = await Connection.open(house.url);
  for (let batch = 0; batch < NUM_BATCHES; batch += 1)
    await connection.post(`/api/runs/${id}/events`, house.token, source.body(batch));
  connection.close();
  await endRun(id, NUM_BATCHES + 1);
  return id;
}

async function endRun(id: number, seq: number): Promise<void> {
  await house.client.call(sendRunEvents, {
    params: { run_id: String(id) },
    body: { protocol: 1, attempt: 1, seq, events: ENDED },
  });
  await untilSealed(id);
}

async function untilSealed(runId: number): Promise<void> {
  for (;;) {
    const rest = await withDatabase(async (database) =>
      database.read<{ left: number }>(
        `select tail_points + (select count(*) from metric_chunks as chunk where chunk.run_id = stream.run_id
           and chunk.count < 100) as left from metric_streams as stream where run_id = ?`,
        [runId],
      ),
    );
    if (Number(rest[0]?.left) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Size of the database when it is packed: what other runs left free is not this run's. */
async function databaseBytes(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "spotter-bench-"));
  const copy = join(folder, "copy.db");
  try {
    await withDatabase((database) => sql`vacuum into ${copy}`.execute(database.kysely));
    return statSync(copy).size;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function withDatabase<T>(
  work: (database: Awaited<ReturnType<typeof openSqlite>>) => Promise<T>,
): Promise<T> {
  const database = await openSqlite({
    path: join(house.home, "spotter.db"),
    threadFile,
    onWriterDeath: (error) => {
      throw error;
    },
  });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

interface Zoom {
  readonly name: string;
  readonly x: "step" | "time";
  readonly from: number | null;
  readonly to: number | null;
}

async function benchWindows(runId: number, source: Source, bytes: number): Promise<void> {
  const steps: number[] = [];
  const times: number[] = [];
  const values: number[] = [];
  for (let batch = 0; batch < NUM_BATCHES; batch += 1) {
    steps.push(...source.steps(batch));
    times.push(...source.times(batch));
    values.push(...source.values(batch, 0));
  }
  const zooms: Zoom[] = [
    { name: "whole series", x: "step", from: null, to: null },
    { name: "whole series, by time", x: "time", from: null, to: null },
    ...[0.6, 0.2, 0.05, 0.03, 0.01, 0.001].map((share): Zoom => {
      const from = Math.floor(NUM_POINTS * 0.37);
      return { name: `${share * 100} % of it`, x: "step", from, to: from + NUM_POINTS * share };
    }),
  ];
  for (const zoom of zooms) {
    const elapsed: number[] = [];
    let read = 0;
    let numBuckets = 0;
    for (let repeat = 0; repeat < REPEATS; repeat += 1)
      await withDatabase(async (database) => {
        const store = new MetricsStore(database);
        const service = new MetricsService(store, new NamesStore(database));
        const startedAt = performance.now();
        const [window] = await service.queryWindows(runId, source.names.slice(0, 1), {
          ...{ x: zoom.x, from: zoom.from, to: zoom.to },
          maxPoints: NUM_BUCKETS,
          superseded: false,
        });
        elapsed.push(performance.now() - startedAt);
        read = store.bytesRead;
        numBuckets = window?.num_buckets ?? 0;
        const isExact = window !== undefined && isSame(window.buckets, zoom, steps, times, values);
        if (!isExact) throw new Error(`The buckets of ${zoom.name} are not exact.`);
      });
    const ms = median(elapsed);
    report(
      `${zoom.name}: ${numBuckets} buckets, ms`,
      ms.toFixed(1),
      BARS.windowMs,
      ms < BARS.windowMs,
    );
    const share = read / bytes;
    report(
      `${zoom.name}: share of its bytes read`,
      share.toFixed(4),
      BARS.share,
      share <= BARS.share,
    );
  }
}

function isSame(
  buckets: { count: number[]; min: (number | null)[]; max: (number | null)[] },
  { x, from, to }: Zoom,
  steps: readonly number[],
  times: readonly number[],
  values: readonly number[],
): boolean {
  const axis = x === "step" ? steps : times;
  let at = from === null ? 0 : axis.findIndex((one) => one >= from);
  return buckets.count.every((count, index) => {
    const part = values.slice(at, at + count);
    const lastX = axis[at + count - 1] ?? Number.POSITIVE_INFINITY;
    at += count;
    return (
      (to === null || lastX <= to) &&
      buckets.min[index] === Math.min(...part) &&
      buckets.max[index] === Math.max(...part)
    );
  });
}

async function benchNames(): Promise<void> {
  const numBatches = 100;
  const few = await sendNames("few names", numBatches, () => 0);
  const many = await sendNames("100,000 names", numBatches, (batch) => batch);
  report(
    "100,000 new names beside 1,000 known ones: ingest takes times",
    (many.seconds / few.seconds).toFixed(2),
    BARS.ingestFactor,
    many.seconds / few.seconds <= BARS.ingestFactor,
  );
  const again = await sendMore(many.id, numBatches, numBatches * 2, (batch) => batch % numBatches);
  report(
    "100,000 known names beside 1,000 known ones: ingest takes times",
    (again / few.seconds).toFixed(2),
    BARS.ingestFactor,
    again / few.seconds <= BARS.ingestFactor,
  );
  for (const query of ["", "?prefix=group7/", "?prefix=group7/layer3/", "?q=metric77"]) {
    const elapsed: number[] = [];
    for (let repeat = 0; repeat < 20; repeat += 1) {
      const startedAt = performance.now();
      const answer = await fetch(`${house.url}/api/runs/${many.id}/metrics/names${query}`, {
        headers: { authorization: `Bearer ${house.token}` },
      });
      await answer.text();
      elapsed.push(performance.now() - startedAt);
    }
    const ms = percentile(elapsed, 95);
    report(
      `name tree ${query || "(root)"}, p95 ms over HTTP`,
      ms.toFixed(1),
      BARS.treeMs,
      ms < BARS.treeMs,
    );
  }
}

async function sendNames(name: string, numBatches: number, partOf: (batch: number) => number) {
  const { id } = await house.client.call(createRun, { body: { name } });
  return { id, seconds: await sendMore(id, 0, numBatches, partOf) };
}

/** Batches of 1,000 series with one point each. */
async function sendMore(
  id: number,
  from: number,
  to: number,
  partOf: (batch: number) => number,
): Promise<number> {
  const connection = await Connection.open(house.url);
  const startedAt = performance.now();
  for (let batch = from; batch < to; batch += 1) {
    const part = partOf(batch);
    const series = Array.from({ length: 1000 }, (_, index) => {
      const name = `group${part % 10}/layer${Math.floor(part / 10)}/metric${index}`;
      return `"${name}":{"step":[${batch}],"time":[${1_763_700_000 + batch}],"value":[0.5]}`;
    }).join(",");
    const body = `{"protocol":1,"attempt":1,"seq":${batch + 1},"events":[{"type":"metric-points","series":{${series}}}]}`;
    await connection.post(`/api/runs/${id}/events`, house.token, body);
  }
  connection.close();
  return (performance.now() - startedAt) / 1000;
}
