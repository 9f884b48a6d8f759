// Removes, a few times a day, stored files that no room refers to any more.
import type { Clock } from "./clock.ts";
import type { ContentStore, ReferenceCheck } from "./content-store.ts";
import type { Log } from "./log.ts";

const INTERVAL_MS = 6 * 3600 * 1000;

export interface ContentCollectorParts {
  readonly content: ContentStore;
  /** Every room that refers to stored files: one that is missing here loses them. */
  readonly checks: readonly ReferenceCheck[];
  readonly clock: Clock;
  readonly log: Log;
}

export class ContentCollector {
  readonly #parts: ContentCollectorParts;
  #timer: NodeJS.Timeout | undefined;
  #collecting: Promise<void> = Promise.resolve();

  constructor(parts: ContentCollectorParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#collecting = this.#collect();
    }, INTERVAL_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#collecting;
  }

  async #collect(): Promise<void> {
    const { content, checks, clock, log } = this.#parts;
    try {
      const numRemoved = await content.collect(checks, clock.now());
      if (numRemoved > 0)
        log.info({ num_removed: numRemoved }, "Unused stored files were removed.");
    } catch (error) {
      log.warn({ error }, "Unused stored files could not be removed; the next try comes later.");
    }
  }
}
