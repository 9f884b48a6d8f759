// Looks many times a second at who lives in the house, and notes what may never be: two attempts at one job at once, two
// workers of one attempt, one GPU given to two living workers.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type HouseProcess, houseProcesses } from "../harness/house-processes.ts";

const INTERVAL_MS = 100;

export class Watch {
  /** Each once, in words. */
  readonly faults = new Set<string>();
  numLooks = 0;
  readonly #home: string;
  readonly #gpus = new Map<string, readonly number[]>();
  #isOver = false;
  readonly #done: Promise<void>;

  constructor(home: string) {
    this.#home = home;
    this.#done = this.#lookOn();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#done;
  }

  async #lookOn(): Promise<void> {
    while (!this.#isOver) {
      this.#look(houseProcesses(this.#home).filter(({ kind }) => kind === "worker"));
      this.numLooks += 1;
      await delay(INTERVAL_MS);
    }
  }

  #look(workers: readonly HouseProcess[]): void {
    const ofJob = new Map<number, HouseProcess>();
    const ofGpu = new Map<number, HouseProcess>();
    for (const worker of workers) {
      const other = ofJob.get(worker.job);
      if (other !== undefined)
        this.faults.add(
          `job ${worker.job} had two workers at once: attempts ${other.attempt} and ${worker.attempt}`,
        );
      ofJob.set(worker.job, worker);
      for (const gpu of this.#gpusOf(worker)) {
        const holder = ofGpu.get(gpu);
        if (holder !== undefined && holder.job !== worker.job)
          this.faults.add(`GPU ${gpu} was given to the jobs ${holder.job} and ${worker.job}`);
        ofGpu.set(gpu, worker);
      }
    }
  }

  #gpusOf({ job, attempt }: HouseProcess): readonly number[] {
    const key = `${job}/${attempt}`;
    const known = this.#gpus.get(key);
    if (known !== undefined) return known;
    const file = join(this.#home, "runs", String(job), "attempts", String(attempt), "spec.json");
    const { gpus = [] } = JSON.parse(readFileSync(file, "utf8")) as { gpus?: number[] };
    this.#gpus.set(key, gpus);
    return gpus;
  }
}
