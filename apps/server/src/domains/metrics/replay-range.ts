// How far one page of replay goes: a run's batches may hold one point or a million, so a page is bounded by points.
import type { Commit } from "./arrival.ts";
import type { ChunkRow, CommitRange, MetricsStore, StreamRow } from "./store.ts";

/** About 6 MB of JSON. A single batch that holds more goes alone. */
export const MAX_POINTS_A_PAGE = 100_000;

/**
 * The range, shortened so that not much more than `maxPoints` are read for it; one commit at least.
 * What lies in the tail is counted. Of sealed commits the chunks tell only how many points they hold together, so the
 * share of the range is taken, and `cutPage` is exact afterwards.
 */
export async function boundRange(
  store: MetricsStore,
  stream: StreamRow,
  range: CommitRange,
  maxPoints: number,
): Promise<CommitRange> {
  const { after } = range;
  const sealed = { after, to: Math.min(range.to, stream.sealed_commit_no) };
  let numPoints = 0;
  if (sealed.after < sealed.to) {
    const chunks = await store.chunksOfCommits(stream.run_id, sealed);
    let { to } = sealed;
    while (to > after + 1 && estimate(chunks, after, to) > maxPoints)
      to = after + Math.ceil((to - after) / 2);
    if (to < sealed.to) return { after, to };
    numPoints = estimate(chunks, after, to);
  }
  const unsealed = { after: Math.max(after, stream.sealed_commit_no), to: range.to };
  if (unsealed.after >= unsealed.to) return { after, to: sealed.to };
  for (const batch of await store.tailSizes(stream.run_id, unsealed)) {
    numPoints += batch.num_points;
    const to = batch.commit_no - 1;
    if (numPoints > maxPoints && to > after) return { after, to };
  }
  return range;
}

/** The commits from the first on that together hold `maxPoints` at most; the first in any case. */
export function cutPage(commits: readonly Commit[], maxPoints: number): readonly Commit[] {
  let numPoints = 0;
  const end = commits.findIndex(({ series }, index) => {
    for (const points of series.values()) numPoints += points.step.length;
    return numPoints > maxPoints && index > 0;
  });
  return end < 0 ? commits : commits.slice(0, end);
}

function estimate(chunks: readonly ChunkRow[], after: number, to: number): number {
  let numPoints = 0;
  for (const { first_commit, last_commit, count } of chunks) {
    const inside = Math.min(to, last_commit) - Math.max(after + 1, first_commit) + 1;
    if (inside > 0) numPoints += (count * inside) / (last_commit - first_commit + 1);
  }
  return numPoints;
}
