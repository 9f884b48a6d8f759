// What a training was given and where its limits are, with real workers: threads, memory, and all that it has started.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { controlTraining, createRun, getRun, type Run } from "@spotter/contract";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../harness.ts";
import { waitUntil } from "../wait-until.ts";

/** Holds so much memory in a child of its own child, tells their numbers, and waits. */
const HOG = `
import os, subprocess, sys, time
depth = int(sys.argv[1])
print("pid", os.getpid(), flush=True)
if depth > 0:
    subprocess.run([sys.executable, "-c", open(sys.argv[2]).read(), str(depth - 1), sys.argv[2]])
held = bytearray(b"x") * (400 * 2**20)
time.sleep(600)
`;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ hasWorkers: true });
});
afterAll(() => server.close());

const untilRun = (id: number, fits: (run: Run) => boolean) =>
  waitUntil(() => server.client.call(getRun, { params: { run_id: String(id) } }), fits, 120_000);
const hasEnded = (run: Run) =>
  run.ended_at !== null && run.attempts.every(({ state }) => state === "ended");
const attemptFile = (id: number, name: string) =>
  path.join(server.home, "runs", String(id), "attempts/1", name);

describe("a training's part of the machine", { timeout: 180_000 }, () => {
  it("is kept by its threads: as many as the cores that it was given", async () => {
    const body = {
      recipe: "vision" as const,
      config: { epochs: 5000, width: 8 },
      resources: { cpu_cores: 1 },
    };
    const { id } = await server.client.call(createRun, { body });
    await untilRun(id, ({ state }) => state === "running");
    const { worker_pid: worker } = JSON.parse(
      readFileSync(attemptFile(id, "supervisor.json"), "utf8"),
    ) as { worker_pid: number };
    // Linux tells what a process was started with; elsewhere its spec has to do.
    if (existsSync("/proc/self/environ")) {
      const given = readFileSync(`/proc/${worker}/environ`, "utf8").split("\0");
      expect(given).toEqual(expect.arrayContaining(["OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1"]));
    }
    const spec: unknown = JSON.parse(readFileSync(attemptFile(id, "spec.json"), "utf8"));
    expect(spec).toMatchObject({ num_threads: 1 });
    await server.client.call(controlTraining, { body: { action: "cancel", run_id: id } });
    await untilRun(id, hasEnded);
  });

  it("ends with all that it has started when it holds more memory than its limit, and says how much", async () => {
    const script = path.join(server.home, "hog.py");
    writeFileSync(script, HOG);
    const body = {
      recipe: "command" as const,
      config: { command: ["python3", script, "1", script] },
      limits: { memory_gib: 0.3 },
    };
    const { id } = await server.client.call(createRun, { body });
    const run = await untilRun(id, hasEnded);
    expect(run.state).toBe("failed");
    expect(run.reason).toMatch(/^the worker used 0\.\d\d GiB of memory, its limit is 0\.3 GiB$/);
    expect(run.error).toMatchObject({ kind: "memory-limit", message: run.reason });
    expect(run.error?.hint).toContain("--memory-limit");
    expect(run.attempts[0]?.exit).toMatchObject({ reason: "memory-limit", out_of_memory: true });
    const pids = readFileSync(attemptFile(id, "stdout.log"), "utf8").match(/(?<=^pid )\d+/gm) ?? [];
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) expect(() => process.kill(Number(pid), 0)).toThrow("ESRCH");
  });
});
