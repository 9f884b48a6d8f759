// Which version a roll back brings, read off the history of stages. Pure.
import type { ModelStage } from "@spotter/contract";

export interface PastChange {
  readonly version_id: number;
  readonly stage_to: ModelStage;
  readonly is_rollback: number;
}

/**
 * Production is a stack: going in puts a version on top, a roll back takes what lies above its target off. So rolling
 * back twice goes back two versions, and never to the one that was just left.
 * @param changes oldest first
 * @param isThere whether a version can still be put into production
 */
export function rollBackTarget(
  changes: readonly PastChange[],
  current: number | null,
  isThere: (versionId: number) => boolean,
): number | null {
  const stack: number[] = [];
  for (const change of changes) {
    if (change.stage_to !== "production") continue;
    if (change.is_rollback === 1)
      while (stack.length > 0 && stack.at(-1) !== change.version_id) stack.pop();
    if (stack.at(-1) !== change.version_id) stack.push(change.version_id);
  }
  return stack.findLast((versionId) => versionId !== current && isThere(versionId)) ?? null;
}
