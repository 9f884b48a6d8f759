// Waits for a condition, never for a time: looks again until it holds, and says what it saw if it never does.

const FIRST_PAUSE_MS = 20;
/** A look is a request most of the time: looked oftener, the looking takes a tenth of a core from what is looked at. */
const LONGEST_PAUSE_MS = 160;

/** @returns the first value that fits */
export async function waitUntil<T>(
  look: () => Promise<T> | T,
  fits: (value: T) => boolean,
  withinMs = 45_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    const value = await look();
    if (fits(value)) return value;
    if (Date.now() > deadline)
      throw new Error(
        `Not within ${withinMs} ms; last seen: ${JSON.stringify(value)?.slice(0, 2000)}`,
      );
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
