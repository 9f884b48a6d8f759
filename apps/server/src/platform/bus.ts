// Tells other rooms, after the commit, what has happened. In memory and best effort: what must not be missed goes
// through the outbox instead.
import type { LiveEvent } from "@spotter/contract";

/** Events that live views are told; rooms publish, `metrics/live.ts` listens. */
export type ViewEvent = Exclude<LiveEvent, { type: "stream-opened" | "stream-closing" }> & {
  readonly project_id?: number;
};

/** A session or token has ended, or a role has changed: who is connected must be looked at again. Goes to no client. */
export interface AccessChanged {
  readonly type: "access-changed";
}

export type BusEvent = ViewEvent | AccessChanged;

type Listener = (event: BusEvent) => void;

export class Bus {
  readonly #listeners = new Set<Listener>();
  readonly #onError: (error: unknown, event: BusEvent) => void;

  /** @param onError is told when a listener throws, so that one cannot silence the others */
  constructor(onError: (error: unknown, event: BusEvent) => void) {
    this.#onError = onError;
  }

  publish(event: BusEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#onError(error, event);
      }
    }
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
