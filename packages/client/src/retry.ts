// When to try again after a failure that may pass: growing waits with jitter, so that a thousand clients of a server that
// restarts do not come back in the same instant.
import { ApiError } from "./http.ts";

export interface BackOff {
  /** Wait before the second attempt, on average; doubles from there. */
  readonly firstMs: number;
  readonly longestMs: number;
}

export const defaultBackOff: BackOff = { firstMs: 400, longestMs: 15_000 };

/**
 * Milliseconds before attempt `failures + 1`: half of the grown wait is certain, half is chance.
 * @example await delay(waitAfter(3, defaultBackOff), signal);
 */
export function waitAfter(failures: number, backOff: BackOff, random = Math.random): number {
  const grown = Math.min(backOff.longestMs, backOff.firstMs * 2 ** Math.max(0, failures - 1));
  return grown / 2 + random() * grown;
}

/** Whether trying again can help. A connection that broke while it was read is no ApiError, and passes too. */
export function mayPass(error: unknown): boolean {
  return !(error instanceof ApiError) || error.isTemporary;
}

/** Ends after the time, or at once, without an error, when the signal aborts. */
export function delay(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener("abort", end);
  });
}
