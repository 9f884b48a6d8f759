// Why a job waits, for those who read it: what is stored with the job, and what somebody who looks at the queue may know.
import type { Outlook } from "./planner.ts";
import { preemptedSentence, sentenceOfWhy } from "./planning/sentences.ts";
import type { Waiting } from "./planning/types.ts";
import type { JobRow } from "./tables.ts";

type Row = Pick<JobRow, "project_id" | "preempted_by" | "resume_from" | "not_before" | "reason">;

/**
 * The sentence that is kept with the job, for all who see its project: jobs of others stay without a number there. It
 * names no time and no place in line, which would age, and each new minute would be news of every waiting run. Null where
 * what is there says more: how its last attempt was lost.
 */
export function reasonToStore(row: Row, { why }: Waiting, { projects }: Outlook): string | null {
  if (why.kind === "retry") return null;
  const sees = (jobId: number) => projects.get(jobId) === row.project_id;
  return withPreemption(row, sees, sentenceOfWhy(why, { clock: null, sees }));
}

/** The same for one reader, with times and the place in line. */
export function reasonToShow(
  row: Row,
  waiting: Waiting & { readonly place: number },
  sees: (jobId: number) => boolean,
): string {
  if (waiting.why.kind === "retry" && row.reason !== null) return row.reason;
  const sentence = sentenceOfWhy(waiting.why, { clock: clockTime, sees }, waiting);
  return withPreemption(row, sees, sentence);
}

/** A holder that is later than it thought has told nothing of when it ends. */
export function withoutPast(why: Waiting["why"], now: number): Waiting["why"] {
  const isPast = why.kind === "resource" && why.until !== null && why.until <= now;
  return isPast ? { ...why, until: null } : why;
}

function withPreemption(row: Row, sees: (jobId: number) => boolean, sentence: string): string {
  const { preempted_by: by } = row;
  if (by === null) return sentence;
  return preemptedSentence(sees(by) ? by : null, checkpointStep(row), sentence);
}

/** Of the checkpoint that it goes on from; null where the newest one is looked for when it starts. */
export function checkpointStep(row: Pick<JobRow, "resume_from" | "not_before">): number | null {
  const digits = /-(\d+)$/.exec(row.resume_from ?? "")?.[1];
  return digits === undefined || row.not_before !== null ? null : Number(digits);
}

/** `14:20`, by the server's own clock; pages and the command line write `until` in their reader's time. */
function clockTime(time: number): string {
  return new Date(time * 1000).toTimeString().slice(0, 5);
}
