// Waiting for a condition, never for a time.
import { setTimeout as delay } from "node:timers/promises";

/** Asks again and again until the answer is neither undefined, null nor false; fails loudly at the deadline. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  timeoutMs = 120_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    if (performance.now() > deadline)
      throw new Error(`waited ${timeoutMs / 1000} s, and still not: ${what}`);
    await delay(50);
  }
}
