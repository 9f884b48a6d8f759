// Removes versions that were deleted more than seven days ago; the collector then frees what nothing else holds.
import type { Log } from "../../platform/log.ts";
import type { ModelsStore } from "./store.ts";
import type { WeightsKeeper } from "./weights-keeper.ts";

const KEEP_DELETED_S = 7 * 86_400;
const INTERVAL_MS = 3_600_000;

export interface PurgeParts {
  readonly store: ModelsStore;
  readonly keeper: WeightsKeeper;
  readonly log: Log;
  readonly now: () => number;
}

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

  async #sweep(): Promise<void> {
    const { store, keeper, now } = this.#parts;
    for (const id of await store.deletedBefore(now() - KEEP_DELETED_S)) {
      await store.purge(id);
      await keeper.remove(id);
    }
  }

  #sweepSafely(): void {
    this.#working = this.#sweep().catch((error: unknown) =>
      this.#parts.log.error({ error }, "Deleted model versions could not be purged."),
    );
  }
}
