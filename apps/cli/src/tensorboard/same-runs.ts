// Which of several followed folders hold runs of this one too. Pure.
import path from "node:path";

/** @param followed real paths, as the server tells them */
export function withSameRuns(logdir: string, followed: readonly string[]): string[] {
  return followed.filter((other) => isInside(other, logdir) || isInside(logdir, other));
}

function isInside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith(path.sep) ? outer : outer + path.sep);
}
