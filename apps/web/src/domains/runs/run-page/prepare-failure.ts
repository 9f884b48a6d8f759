// What stands with a run's error: Python's account of how it came about, or only the lines that were written last. Pure.

/** Python begins it so, also in the middle of other lines. */
const BEGINNING = /^\s*(\+ |\| )?(Exception Group )?Traceback \(most recent call last\):/m;

export function holdsTraceback(text: string): boolean {
  return BEGINNING.test(text);
}
