// A server's end waits for what a run's end still has to be done, of which nobody else knows: the last values for the
// list, which the store tells, and the last lines beside an error.
import { listRuns } from "@spotter/contract";
import { sql } from "kysely";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { type FakeTraining, type Source, startFakeTraining } from "../fake-training.ts";
import { startTestServer, type TestServer } from "../harness.ts";
import { waitUntil } from "../wait-until.ts";

/** As long as a server's end takes when it waits for nothing. Too short, a mistake would pass; a right server never fails. */
const LONG_MS = 1_500;

let server: TestServer;
let id: number;
let training: FakeTraining;
beforeEach(async () => {
  server = await startTestServer();
  onTestFinished(() => server.close());
  training = await startFakeTraining(server);
  id = training.id;
  await send("worker", [{ type: "run-started", time: 1 }]);
});

async function send(source: Source, events: object[]): Promise<void> {
  await training.send(events, source);
}

/** Reads of this table wait from now on, until they are let go. */
function holdReads(table: string) {
  const { database } = server;
  const readNow = database.read.bind(database);
  const held = new Set<object>();
  let numHeld = 0;
  let letGo: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const wait = async () => {
    numHeld += 1;
    await gate;
  };
  Object.assign(database, {
    read: async (text: string, parameters?: readonly unknown[]) => {
      if (text.includes(table)) await wait();
      return readNow(text, parameters);
    },
    kysely: database.kysely.withPlugin({
      transformQuery({ node, queryId }) {
        if (JSON.stringify(node).includes(`"${table}"`)) held.add(queryId);
        return node;
      },
      async transformResult({ queryId, result }) {
        if (held.has(queryId)) await wait();
        return result;
      },
    }),
  });
  return {
    letGo,
    isReached: () =>
      waitUntil(
        () => numHeld,
        (count) => count > 0,
      ),
  };
}

/** What is stored at the moment at which the server's end is told to be over. */
async function storedAtTheEnd<Row>(letGo: () => void, query: string): Promise<Row[]> {
  const { database } = server;
  const timer = setTimeout(letGo, LONG_MS);
  await server.app.close();
  const rows = await database.transaction(
    async (transaction) => (await sql.raw<Row>(query).execute(transaction)).rows,
  );
  clearTimeout(timer);
  letGo();
  return rows;
}

it("waits until a run's last values are in the list", async () => {
  const series = { "train/loss": { step: [1, 2], time: [1, 2], value: [0.5, 0.25] } };
  await send("worker", [{ type: "metric-points", series }]);
  const listed = async () => (await server.client.call(listRuns, {})).runs[0]?.metrics;
  await waitUntil(listed, (metrics) => metrics?.["train/loss"] === 0.25);
  // As if the server that took the points had been killed before it told the list of them.
  await server.database.transaction((transaction) =>
    sql`delete from run_metrics where run_id = ${id}`.execute(transaction),
  );
  const { letGo, isReached } = holdReads("metric_series");
  await send("worker", [{ type: "run-ended", time: 3, state: "finished" }]);
  await isReached();
  expect(
    await storedAtTheEnd(letGo, `select name, last_value from run_metrics where run_id = ${id}`),
  ).toEqual([{ name: "train/loss", last_value: 0.25 }]);
});

it("waits until a failed run's last lines stand beside its error", async () => {
  const line = { time: 2, stream: "stderr", level: "error", text: "its last line" };
  await send("supervisor", [{ type: "log-lines", lines: [line] }]);
  const { letGo, isReached } = holdReads("run_logs");
  const exit = { exit_code: 1, signal: null, out_of_memory: false };
  await send("supervisor", [
    { type: "attempt-ended", time: 3, exit: { ...exit, reason: "worker-lost", message: "gone" } },
  ]);
  await isReached();
  const [row] = await storedAtTheEnd<{ error: string }>(
    letGo,
    `select error from runs where id = ${id}`,
  );
  expect(JSON.parse(row?.error ?? "null")).toMatchObject({ traceback: "its last line" });
});
