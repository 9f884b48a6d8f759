// The server is killed ten times during one run: training never stops, nothing is lost, nothing comes twice.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { House } from "./harness/house.ts";
import { RawReader } from "./harness/raw-reader.ts";
import { seededRandom } from "./harness/rough-proxy.ts";
import { readStored, readTruth } from "./harness/truth.ts";
import { until } from "./harness/until.ts";

const KILLS = 10;

describe.each(["sqlite", "postgres"] as const)(
  "a server on %s that is killed again and again",
  (database) => {
    it("keeps every point exactly as the worker logged it, and every reader gets each batch once", async () => {
      const truthFile = join(await temporaryFolder(), "truth.jsonl");
      const house = await House.open({ database, env: { SPOTTER_TRUTH_FILE: truthFile } });
      const random = seededRandom(7);
      const run = await house.train({ epochs: 60, batch_size: 32, width: 8 });
      await house.untilState(run.id, "running");
      const readers = [1, 2, 3].map(() => new RawReader(house.url, house.token, run.id));
      const pids = new Set<number>();

      for (let kill = 0; kill < KILLS; kill += 1) {
        const before = readers[0]?.lastCommit ?? 0;
        // A few more batches, a different number each time, so that the kill falls at a random moment.
        const wanted = before + 1 + Math.floor(random() * 8);
        await until(
          `commit ${wanted} has come`,
          () => (readers[0]?.lastCommit ?? 0) >= wanted || (kill > 0 && runIsOver(house, run.id)),
        );
        pids.add(house.processes(run.id).worker);
        if (kill % 2 === 0) {
          await house.kill();
          await house.start();
        } else {
          // Every second time at the worst moment: committed, but the reply never leaves.
          await house.kill();
          await house.start({ SPOTTER_FAILPOINT: `after-commit:${1 + Math.floor(random() * 5)}` });
          await house.ended();
          await house.start();
        }
      }

      const ended = await house.untilState(run.id, "finished");
      expect(pids.size, "the worker was never restarted").toBe(1);
      expect(ended.attempts.length).toBe(1);
      await until("every reader is at the end", () =>
        readers.every((reader) => reader.lastCommit === ended.commit_no),
      );
      const everyNumber = Array.from({ length: ended.commit_no }, (_, index) => index + 1);
      for (const reader of readers) {
        expect(reader.commitNumbers).toEqual(everyNumber);
        expect(reader.connections).toBeGreaterThan(KILLS);
      }
      expect(await readStored(house, run.id)).toEqual(readTruth(truthFile));
      await Promise.all(readers.map((reader) => reader.close()));
      await house.close();
    });
  },
);

async function runIsOver(house: House, id: number): Promise<boolean> {
  return (await house.run(id)).state === "finished";
}

async function temporaryFolder(): Promise<string> {
  const { mkdtemp } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  return mkdtemp(join(tmpdir(), "spotter-truth-"));
}
