// The same kind of load on peers, each installed into a throwaway virtual environment beside the bench: the real MLflow
// tracking server (log-batch, its SQLite store, 8 connections, 10 keys × 100 steps a request, its own limit of 1,000)
// and trackio (its client's log() with 10 metrics a call, until everything is stored).
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "./load.ts";
import { table } from "./report.ts";

const PEER_SECONDS = 20;
const CONNECTIONS = 8;
const KEYS = 10;
const STEPS = 100;
const VERSIONS = { mlflow: "mlflow==3.17.2", trackio: "trackio==0.43.0" };

/** @param ownRate points/s of the 10 × 100 shape in this very run */
export async function benchPeers(ownRate: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "spotter-peers-"));
  try {
    const rows: (string | number)[][] = [["peer", "points/s", "Spotter is times as fast"]];
    const mlflow = await benchMlflow(folder);
    rows.push([VERSIONS.mlflow, Math.round(mlflow), (ownRate / mlflow).toFixed(0)]);
    const trackio = benchTrackio(folder);
    rows.push([VERSIONS.trackio, Math.round(trackio), (ownRate / trackio).toFixed(0)]);
    table(rows);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function benchMlflow(folder: string): Promise<number> {
  const python = makeEnvironment(folder, VERSIONS.mlflow);
  const port = await freePort();
  const store = `sqlite:///${join(folder, "mlflow.db")}`;
  const address = ["--host", "127.0.0.1", "--port", String(port)];
  const server = spawn(
    python,
    ["-m", "mlflow", "server", "--backend-store-uri", store, ...address],
    { cwd: folder, stdio: "ignore", detached: true },
  );
  try {
    const url = `http://127.0.0.1:${port}`;
    await untilUp(server, `${url}/health`);
    return await loadMlflow(url);
  } finally {
    // Its workers are in its process group.
    if (server.pid !== undefined && server.exitCode === null) process.kill(-server.pid, "SIGTERM");
  }
}

async function loadMlflow(url: string): Promise<number> {
  const endsAt = performance.now() + PEER_SECONDS * 1000;
  let numPoints = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const connection = await Connection.open(url);
      const created = await connection.post(
        "/api/2.0/mlflow/runs/create",
        "none",
        JSON.stringify({ experiment_id: "0", start_time: Date.now() }),
      );
      const runId: string = JSON.parse(created).run.info.run_id;
      for (let batch = 0; performance.now() < endsAt; batch += 1) {
        const metrics = Array.from({ length: KEYS * STEPS }, (_, index) => ({
          key: `metric${index % KEYS}`,
          value: Math.fround(Math.random()),
          timestamp: Date.now(),
          step: batch * STEPS + Math.floor(index / KEYS),
        }));
        const body = JSON.stringify({ run_id: runId, metrics });
        await connection.post("/api/2.0/mlflow/runs/log-batch", "none", body);
        numPoints += metrics.length;
      }
      connection.close();
    }),
  );
  return numPoints / PEER_SECONDS;
}

function benchTrackio(folder: string): number {
  const python = makeEnvironment(folder, VERSIONS.trackio);
  const script = join(folder, "load_trackio.py");
  writeFileSync(
    script,
    `import time, trackio
trackio.init(project="bench", name="load")
started = time.perf_counter()
num_calls = 0
while time.perf_counter() - started < ${PEER_SECONDS}:
    trackio.log({f"metric{i}": 0.5 for i in range(${KEYS})})
    num_calls += 1
trackio.finish()
print("RATE", num_calls * ${KEYS} / (time.perf_counter() - started))
`,
  );
  const environment = { ...process.env, TRACKIO_DIR: join(folder, "trackio"), HF_HUB_OFFLINE: "1" };
  const { stdout, stderr } = spawnSync(python, [script], { encoding: "utf8", env: environment });
  const rate = Number(/^RATE ([\d.]+)$/m.exec(stdout)?.[1]);
  if (!Number.isFinite(rate)) throw new Error(`trackio did not finish: ${stderr.slice(-2000)}`);
  return rate;
}

function makeEnvironment(folder: string, requirement: string): string {
  const environment = join(folder, requirement.replace(/\W+/g, "-"));
  run("python3", ["-m", "venv", environment]);
  const python = join(environment, "bin/python");
  console.log(`Installing ${requirement} into a throwaway environment ...`);
  run(python, ["-m", "pip", "install", "--quiet", requirement]);
  return python;
}

function run(program: string, parameters: readonly string[]): void {
  const { status, stderr } = spawnSync(program, parameters, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${parameters.join(" ")}: ${stderr.slice(-2000)}`);
}

async function untilUp(server: ChildProcess, url: string): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`MLflow's server ended (${server.exitCode}).`);
    const isUp = await fetch(url).then(
      (answer) => answer.ok,
      // Refused until it listens.
      () => false,
    );
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
