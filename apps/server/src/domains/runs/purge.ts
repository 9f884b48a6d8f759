// Removes runs that were deleted more than seven days ago: rows at once, what other rooms keep through the outbox.
import type { Log } from "../../platform/log.ts";
import type { Outbox } from "../../platform/outbox.ts";
import type { QueueService } from "../queue/index.ts";
import type { ForkOrigins } from "./fork-origins.ts";
import type { ForksStore } from "./forks-store.ts";
import type { RunsStore } from "./store.ts";

const KEEP_DELETED_S = 7 * 86_400;
const INTERVAL_MS = 3_600_000;
/** Answered predictions and pre-flights leave their folder that long, for a look at what went wrong. */
const KEEP_LIGHT_JOB_S = 3_600;
/** Far more than the time between two sweeps; older ones are gone already. */
const LOOK_BACK_S = 30 * 86_400;
/** Rooms that keep something under a run's id handle this topic: payload `{run_id}`. */
export const RUN_PURGED = "run-purged";

export class Purge {
  readonly #parts: PurgeParts;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();

  constructor(parts: PurgeParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#sweepSafely();
    this.#timer = setInterval(() => this.#sweepSafely(), INTERVAL_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#working;
  }

  /** @returns the ids of the runs that are gone */
  async sweep(): Promise<number[]> {
    const { store, forks, origins, outbox, queue, now, held } = this.#parts;
    const due = await store.deletedBefore(now() - KEEP_DELETED_S);
    const needed = await held(due);
    const ids = due.filter((id) => !needed.has(id));
    for (const id of ids) {
      await store.transaction(async (transaction) => {
        await store.purge(transaction, id);
        await outbox.enqueue(transaction, RUN_PURGED, { run_id: id });
      });
      await queue.removeFiles(id);
    }
    if (ids.length > 0) outbox.kick();
    await origins.sweep(await forks.origins(), now());
    await this.#sweepLightJobs();
    return ids;
  }

  async #sweepLightJobs(): Promise<void> {
    const { queue, now } = this.#parts;
    const before = now() - KEEP_LIGHT_JOB_S;
    for (const id of await queue.endedLightJobs(before - LOOK_BACK_S, before))
      await queue.removeFiles(id);
  }

  #sweepSafely(): void {
    this.#working = this.sweep().then(
      () => undefined,
      (error: unknown) => this.#parts.log.error({ error }, "Deleted runs could not be purged."),
    );
  }
}

interface PurgeParts {
  readonly store: RunsStore;
  readonly forks: ForksStore;
  readonly origins: ForkOrigins;
  readonly outbox: Outbox;
  readonly queue: QueueService;
  readonly log: Log;
  readonly now: () => number;
  readonly held: (runIds: readonly number[]) => Promise<ReadonlySet<number>>;
}
