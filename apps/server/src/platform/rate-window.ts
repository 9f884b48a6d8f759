// Counts the calls of each address for the rate limit. Its time is the process's own: a clock that is set back must not
// lock anybody out for an hour, nor one that is set forward let a guesser go on.
import type { FastifyRateLimitStore } from "@fastify/rate-limit";

interface Window {
  count: number;
  beganAt: number;
}

/** Far more than the people of one server; a flood of addresses is simply counted anew. */
const MAX_ADDRESSES = 10_000;

export class RateWindows implements FastifyRateLimitStore {
  readonly #windows = new Map<string, Window>();
  readonly #nowMs: () => number;

  /** @param _options of the plugin, which makes the store; none is used */
  constructor(_options?: unknown, nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  incr(
    key: string,
    callback: (error: Error | null, result?: { current: number; ttl: number }) => void,
    timeWindow: number,
  ): void {
    const now = this.#nowMs();
    let window = this.#windows.get(key);
    if (window === undefined || now - window.beganAt >= timeWindow) {
      if (this.#windows.size >= MAX_ADDRESSES) this.#windows.clear();
      window = { count: 0, beganAt: now };
      this.#windows.set(key, window);
    }
    window.count += 1;
    callback(null, { current: window.count, ttl: timeWindow - (now - window.beganAt) });
  }

  /** Each limited route counts for itself. */
  child(): RateWindows {
    return new RateWindows(undefined, this.#nowMs);
  }
}
