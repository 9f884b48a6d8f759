// Whether a lost attempt is made good by another one. Pure.
import type { AttemptExit, RunLimits } from "@spotter/contract";
import { sentenceOf } from "./endings.ts";

const FIRST_PAUSE_S = 10;
export const LONGEST_PAUSE_S = 600;
/** A crash that comes back at the same place comes back for ever. */
const MAX_AT_ONE_PLACE = 3;
/** The last steps before a crash may not have been told any more. */
const SAME_PLACE_STEPS = 10;
const SAME_PLACE_PART = 0.01;
/** What another attempt would meet again, or what was wanted. */
const NOT_AGAIN: ReadonlySet<string> = new Set(["time-limit", "memory-limit"]);

export interface LostJob {
  readonly limits: RunLimits;
  /** Attempts since it was last queued by hand; the one that was lost now counts. */
  readonly numAttempts: number;
  /** How far each of them came, the newest last; null: it told of no step. */
  readonly lastSteps: readonly (number | null)[];
  /** Somebody had paused it, and not let it go on: it waits for that again. */
  readonly isPaused: boolean;
}

export type RetryDecision =
  | { readonly kind: "again"; readonly notBefore: number; readonly reason: string }
  | { readonly kind: "given-up"; readonly reason: string }
  /** Nobody asked for another attempt, or none would help. */
  | null;

export function decideRetry(job: LostJob, exit: AttemptExit, now: number): RetryDecision {
  const most = job.limits.attempts ?? 1;
  if (most <= 1 || isWanted(exit) || exit.out_of_memory) return null;
  const cause = sentenceOf(exit);
  const place = placeOf(job.lastSteps);
  if (place !== null)
    return {
      kind: "given-up",
      reason: `Crashed three times ${place}, so it is not tried again: ${cause}`,
    };
  if (job.numAttempts >= most)
    return { kind: "given-up", reason: `Lost in all of its ${most} attempts: ${cause}` };
  const pauseS = Math.min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (job.numAttempts - 1));
  return {
    kind: "again",
    notBefore: now + pauseS,
    reason: job.isPaused
      ? `Attempt ${job.numAttempts} of ${most} was lost while paused, and comes back paused from the last checkpoint: ${cause}`
      : `Attempt ${job.numAttempts} of ${most} was lost and is made good from the last checkpoint: ${cause}`,
  };
}

function isWanted({ exit_code: code, reason }: AttemptExit): boolean {
  return (code === 0 && reason === null) || (reason !== null && NOT_AGAIN.has(reason));
}

/** Where the last three crashed, if they all did at one place. */
function placeOf(lastSteps: readonly (number | null)[]): string | null {
  const last = lastSteps.slice(-MAX_AT_ONE_PLACE);
  if (last.length < MAX_AT_ONE_PLACE) return null;
  const steps = last.filter((step) => step !== null);
  if (steps.length === 0) return "before the first step";
  if (steps.length < last.length) return null;
  const [least, most] = [Math.min(...steps), Math.max(...steps)];
  const isOne = most - least <= Math.max(SAME_PLACE_STEPS, SAME_PLACE_PART * most);
  return isOne ? `at about step ${most}` : null;
}
