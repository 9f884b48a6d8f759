// The network between worker and server is cut, silently, for longer than either waits for an answer: the training goes on,
// and afterwards every point is there once.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { controlTraining } from "@spotter/contract";
import { expect, it } from "vitest";
import { CutLine } from "./harness/cut-line.ts";
import { House } from "./harness/house.ts";
import { isAlive } from "./harness/house-processes.ts";
import { RawReader } from "./harness/raw-reader.ts";
import { readStored, readTruth } from "./harness/truth.ts";
import { until } from "./harness/until.ts";

/** The worker gives up on an answer after 15 s; `npm run test:chaos` cuts for a real minute. */
const CUT_S = process.env.SPOTTER_CHAOS_KILLS === undefined ? 17 : 60;

it("a network that is cut loses no point and doubles none, and no run is given up for it", async () => {
  const truthFile = join(mkdtempSync(join(tmpdir(), "spotter-truth-")), "truth.jsonl");
  const line = await CutLine.open();
  const house = await House.open({
    env: { SPOTTER_TRUTH_FILE: truthFile, SPOTTER_ADVERTISE_URL: line.url },
  });
  line.leadTo(house.url);
  const run = await house.train({ epochs: 20_000, batch_size: 32, width: 6 });
  const reader = new RawReader(house.url, house.token, run.id);
  await until("some batches have come", () => reader.lastCommit > 5);
  const { worker, supervisor } = house.processes(run.id);

  line.cut();
  const cutAt = performance.now();
  const logged = numLogged(truthFile);
  await until("the cut has lasted", () => performance.now() - cutAt > CUT_S * 1000);
  const during = reader.lastCommit;
  expect(numLogged(truthFile), "the worker trained on").toBeGreaterThan(logged);
  expect((await house.run(run.id)).state).toBe("running");
  line.mend();

  await until("what waited has come", () => reader.lastCommit > during + 5);
  expect([worker, supervisor].map(isAlive), "neither was replaced").toEqual([true, true]);
  await house.client.call(controlTraining, { body: { action: "stop", run_id: run.id } });
  const ended = await house.untilState(run.id, "stopped");
  await until("the reader is at the end", () => reader.lastCommit === ended.commit_no);
  expect(ended.attempts.length).toBe(1);
  expect(reader.commitNumbers).toEqual(
    Array.from({ length: ended.commit_no }, (_, index) => index + 1),
  );
  expect(await readStored(house, run.id)).toEqual(readTruth(truthFile));
  await reader.close();
  await house.close();
  await line.close();
});

function numLogged(truthFile: string): number {
  return readTruth(truthFile).get("train/loss")?.length ?? 0;
}
