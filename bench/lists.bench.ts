// The runs list and the other endpoints under a database of 10,000 runs. Run by `npm run bench -- lists [runs]`.
//
// Load: runs of own scripts, each with two metrics and three batches, sent over 8 lanes; then, one call at a time, 300
// calls of each kind from this process over loopback. Warm-up: 20 calls of each kind. Reference: the health endpoint,
// which touches no table, so that the machine's own delay is seen beside every figure.
import { createRun, type RunPage, sendRunEvents } from "@spotter/contract";
import { House } from "../e2e/harness/house.ts";
import { seededRandom } from "../e2e/harness/rough-proxy.ts";

const NUM_RUNS = Number(process.argv[2] ?? 10_000);
const CALLS = 300;
const WARM_UP = 20;
const LIST_BAR_MS = 20;
const OTHER_BAR_MS = 50;

const house = await House.open({ env: { SPOTTER_LOG_LEVEL: "error" } });
let failures = 0;
try {
  const started = performance.now();
  await seed();
  console.log(`${NUM_RUNS} runs sent in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  await measureList();
  await measureOthers();
} finally {
  await house.close();
}
process.exitCode = failures === 0 ? 0 : 1;

async function seed(): Promise<void> {
  const random = seededRandom(1);
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < NUM_RUNS; index = next++) {
      const run = await house.client.call(createRun, {
        body: { name: `run ${index % 97} of ${index}`, tags: [`t${index % 7}`] },
      });
      const time = Date.now() / 1000;
      const send = (seq: number, events: object[]) =>
        house.client.call(sendRunEvents, {
          params: { run_id: run.id },
          body: { protocol: 1, attempt: 1, seq, events } as never,
        });
      const columns = () => ({
        step: [0, 1, 2],
        time: [time, time, time],
        value: [random(), random(), random()],
      });
      await send(1, [
        { type: "metric-points", series: { "train/loss": columns(), "val/accuracy": columns() } },
      ]);
      await send(2, [{ type: "run-ended", time, state: "finished", metrics: {}, error: null }]);
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}

async function measureList(): Promise<void> {
  for (const sort of [
    "id",
    "created_at",
    "name",
    "state",
    "duration",
    "metric:train/loss",
    "metric:val/accuracy",
  ]) {
    for (const direction of ["asc", "desc"]) {
      const query = `/api/runs?limit=100&sort=${encodeURIComponent(sort)}&direction=${direction}`;
      await measure(`first page by ${sort} ${direction}`, () => query, LIST_BAR_MS);
    }
    // Pages deep inside: the cursor goes on from page to page, and round again at the end.
    let cursor = "";
    await measure(
      `next page by ${sort}`,
      () => `/api/runs?limit=100&sort=${encodeURIComponent(sort)}${cursor}`,
      LIST_BAR_MS,
      (page) => {
        const next = (page as RunPage).next_cursor;
        cursor = next === null ? "" : `&cursor=${encodeURIComponent(next)}`;
      },
    );
  }
  await measure("filtered by tag and text", () => "/api/runs?limit=100&tag=t3&q=run", LIST_BAR_MS);
}

async function measureOthers(): Promise<void> {
  const id = NUM_RUNS - 5;
  const paths = [
    "/api/system/health",
    "/api/system/info",
    "/api/auth/me",
    "/api/projects",
    "/api/train/queue",
    "/api/recipes",
    "/api/datasets",
    "/api/audit",
    "/api/users",
    "/api/metrics/current",
    "/api/metrics/history",
    `/api/runs/${id}`,
    `/api/runs/${id}/logs`,
    `/api/runs/${id}/files`,
    `/api/runs/${id}/commands`,
    `/api/runs/${id}/metrics/names`,
    `/api/runs/${id}/metrics/series?name=train/loss`,
    `/api/runs/${id}/metrics/points?name=train/loss`,
    `/api/runs/${id}/metrics/after?commit_no=0`,
  ];
  for (const path of paths)
    await measure(path.replace(String(id), ":id"), () => path, OTHER_BAR_MS);
}

async function measure(
  what: string,
  path: () => string,
  barMs: number,
  look: (answer: unknown) => void = () => undefined,
): Promise<void> {
  const times: number[] = [];
  for (let call = -WARM_UP; call < CALLS; call += 1) {
    const started = performance.now();
    const response = await fetch(`${house.url}${path()}`, {
      headers: { authorization: `Bearer ${house.token}` },
    });
    const answer: unknown = await response.json();
    const tookMs = performance.now() - started;
    if (!response.ok && response.status !== 404) throw new Error(`${what}: ${response.status}`);
    look(answer);
    if (call >= 0) times.push(tookMs);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) =>
    times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0;
  const isGood = at(0.95) < barMs;
  if (!isGood) failures += 1;
  console.log(
    `${what.padEnd(44)} p50 ${at(0.5).toFixed(1).padStart(6)}  p95 ${at(0.95).toFixed(1).padStart(6)} ms  bar ${barMs} ms  ${isGood ? "ok" : "BELOW ITS BAR"}`,
  );
}
