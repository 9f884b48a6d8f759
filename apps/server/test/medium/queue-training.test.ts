// A whole training through the server: queued, supervised, its events taken, predictions made with its weights.
import {
  controlTraining,
  createRun,
  getRun,
  listRunFiles,
  listRunLogs,
  predictWithRun,
  type Run,
} from "@spotter/contract";
import { describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../harness.ts";

async function until<T>(
  look: () => Promise<T>,
  isIt: (value: T) => boolean,
  withinMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await look();
    if (isIt(value)) return value;
    if (Date.now() > deadline) throw new Error(`never came true: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const runOf = (server: TestServer, id: number) => () =>
  server.client.call(getRun, { params: { run_id: String(id) } });

describe("a training", () => {
  it("runs from the queue to saved weights, and its weights answer predictions", async () => {
    const server = await startTestServer({ hasWorkers: true });
    const { client } = server;
    const made = await client.call(createRun, {
      body: { recipe: "vision", config: { epochs: 2, width: 8 } },
    });
    expect(made.name).toBe(`vision-digits-${made.id}`);
    const run: Run = await until(runOf(server, made.id), ({ state }) =>
      ["finished", "failed"].includes(state),
    );
    expect(run.error).toBeNull();
    expect(run.state).toBe("finished");
    const { files } = await client.call(listRunFiles, { params: { run_id: String(made.id) } });
    expect(files.map(({ kind }) => kind)).toContain("weights");
    const logs = await client.call(listRunLogs, { params: { run_id: String(made.id) } });
    expect(logs.total).toBeGreaterThan(2);
    expect(logs.lines.map(({ line_no }) => line_no)).toEqual(
      logs.lines.map((_, index) => index + 1),
    );
    const answer = await client.call(predictWithRun, {
      params: { run_id: String(made.id) },
      body: { test_samples: 3 },
    }).catch((e) => { console.log(JSON.stringify(server.logged, null, 1)); throw e; });
    expect(answer.predictions).toHaveLength(3);
    await until(runOf(server, made.id), (r) => r.attempts[0]?.state === "ended");
    await server.close();
  });
});
