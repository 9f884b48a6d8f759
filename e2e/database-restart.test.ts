// PostgreSQL is restarted while a run trains: once in order and once as by a crash. Every acknowledged point is stored
// once, the server reconnects by itself and says so, and whoever reads the stream goes on.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { controlTraining } from "@spotter/contract";
import { expect, it } from "vitest";
import { provideCluster } from "../scripts/test/postgres.mjs";
import { House } from "./harness/house.ts";
import { isAlive } from "./harness/house-processes.ts";
import { RawReader } from "./harness/raw-reader.ts";
import { readStored, readTruth } from "./harness/truth.ts";
import { until } from "./harness/until.ts";

it("a database that is restarted under a training loses nothing, and the server finds it again", async () => {
  const truthFile = join(mkdtempSync(join(tmpdir(), "spotter-truth-")), "truth.jsonl");
  const cluster = await provideCluster({ isDurable: true });
  const house = await House.open({
    env: { SPOTTER_TRUTH_FILE: truthFile, DATABASE_URL: cluster.url },
  });
  const run = await house.train({ epochs: 20_000, batch_size: 32, width: 6 });
  const readers = [1, 2].map(() => new RawReader(house.url, house.token, run.id));
  const cameTo = () => Math.min(...readers.map((reader) => reader.lastCommit));
  await until("some batches have come", () => cameTo() > 5);
  const { worker, supervisor } = house.processes(run.id);

  for (const signal of ["INT", "QUIT"]) {
    const before = cameTo();
    await cluster.restart(signal, 2);
    await until(`every reader goes on after ${signal}`, () => cameTo() > before + 10);
    const said = house.output.join("");
    expect(said).toContain("The connection to the database was lost");
    expect(said).toContain("The database answers again");
    house.output.length = 0;
  }
  expect([house.isUp, isAlive(worker), isAlive(supervisor)]).toEqual([true, true, true]);

  await house.client.call(controlTraining, { body: { action: "stop", run_id: run.id } });
  const ended = await house.untilState(run.id, "stopped");
  await until("the readers are at the end", () => cameTo() === ended.commit_no);
  const everyNumber = Array.from({ length: ended.commit_no }, (_, index) => index + 1);
  for (const reader of readers) expect(reader.commitNumbers).toEqual(everyNumber);
  expect(ended.attempts.length).toBe(1);
  expect(await readStored(house, run.id)).toEqual(readTruth(truthFile));
  await Promise.all(readers.map((reader) => reader.close()));
  await house.close();
  await cluster.stop();
});
