// A run whose change was taken back is at the earlier checkpoint from then on, also while it waits for its next attempt:
// what came after is neither its last, nor its best, nor how far it is.
import { BackgroundWork } from "../../platform/background-work.ts";
import type { Log } from "../../platform/log.ts";
import type { QueueService } from "../queue/index.ts";
import type { RunFeed } from "./feed.ts";
import type { GoneBack, RunsStore } from "./store.ts";

/** The points of runs; the metrics room, a storey above, answers. */
export interface History {
  /** The attempt begins at this step and supersedes what is beyond, unless it has begun already and said where. */
  cut(runId: number, attempt: number, firstStep: number): Promise<void>;
  /** The newest values in force go to the runs room's list once more. */
  tellLastValues(runId: number): Promise<void>;
}

interface WentBackParts {
  readonly store: RunsStore;
  readonly queue: Pick<QueueService, "wentBack">;
  readonly history: History;
  readonly feed: RunFeed;
  readonly log: Log;
}

export class WentBack {
  readonly #parts: WentBackParts;
  readonly #work = new BackgroundWork();
  /** Where runs that have been seen to went back to: the reason why one waits may change often. */
  readonly #seen = new Map<number, string>();

  constructor(parts: WentBackParts) {
    this.#parts = parts;
  }

  /** After a commit that ended attempts or queued jobs; nobody waits for it but `finished`. */
  look(runIds: readonly number[]): void {
    this.#work.add(this.#look(runIds), (error) => {
      this.#parts.log.error(
        { error, run_ids: runIds },
        "A run that went back shows what it has left behind until it goes on.",
      );
    });
  }

  finished(): Promise<void> {
    return this.#work.finished();
  }

  async #look(runIds: readonly number[]): Promise<void> {
    const { store, queue } = this.#parts;
    const found = new Map((await queue.wentBack(runIds)).map((one) => [one.jobId, one]));
    for (const id of runIds) {
      const one = found.get(id);
      if (one === undefined) {
        this.#seen.delete(id);
        continue;
      }
      const seen = `${one.attempt} ${one.checkpoint}`;
      if (seen === this.#seen.get(id)) continue;
      const file = await store.fileByPath(id, one.checkpoint);
      if (file === undefined || file.step === null) continue;
      const { step, epoch } = file;
      await this.#leaveBehind({ id, attempt: one.attempt, step, epoch });
      this.#seen.set(id, seen);
    }
  }

  async #leaveBehind(one: GoneBack): Promise<void> {
    const { store, history, feed } = this.#parts;
    await history.cut(one.id, one.attempt + 1, one.step + 1);
    if (!(await store.leaveBehind(one))) return;
    await history.tellLastValues(one.id);
    feed.runTouched(one.id);
  }
}
