// Lets callers wait for news of a job: whoever listens under its number is woken when it is rung.

export interface Bell {
  /** Resolves when rung, after the timeout, or at once if it rang since `listen`. Ends the listening. */
  rung(timeoutMs: number): Promise<void>;
  cancel(): void;
}

export class Bells {
  readonly #listening = new Map<number, Set<() => void>>();

  /** Listen first, look then: what happens between the look and the wait rings too. */
  listen(jobId: number, signal?: AbortSignal): Bell {
    const controller = new AbortController();
    const ring = () => controller.abort();
    const rings = this.#listening.get(jobId) ?? new Set();
    this.#listening.set(jobId, rings);
    rings.add(ring);
    signal?.addEventListener("abort", ring, { once: true });
    const cancel = () => {
      rings.delete(ring);
      if (rings.size === 0 && this.#listening.get(jobId) === rings) this.#listening.delete(jobId);
      signal?.removeEventListener("abort", ring);
    };
    return {
      cancel,
      rung: async (timeoutMs) => {
        await rungOrTimeout(controller.signal, timeoutMs);
        cancel();
      },
    };
  }

  ring(jobId: number): void {
    for (const ring of [...(this.#listening.get(jobId) ?? [])]) ring();
  }

  ringAll(): void {
    for (const jobId of [...this.#listening.keys()]) this.ring(jobId);
  }
}

function rungOrTimeout(signal: AbortSignal, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, timeoutMs);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
