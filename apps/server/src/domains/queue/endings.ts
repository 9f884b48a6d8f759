// Says in one sentence how a process ended, and what that makes of its job.
import type { AttemptExit, JobState } from "@spotter/contract";

export interface Ending {
  readonly state: Extract<JobState, "finished" | "failed">;
  readonly reason: string | null;
}

const SENTENCES: Readonly<Record<string, string>> = {
  "worker-lost": "The worker process disappeared without telling how the run ended.",
  "supervisor-lost": "Supervisor and worker both disappeared; the machine may have been restarted.",
  "machine-lost": "The machine that trained it is lost.",
  "time-limit": "The time limit was reached.",
  "start-failed": "The worker could not be started.",
};

/** Says of an attempt that it never began, so that it counts as none. */
export const PUT_BACK = "The server went down while it started this attempt.";

/** For an attempt whose worker did not tell the ending itself. */
export function endingOf(exit: AttemptExit): Ending {
  if (exit.exit_code === 0 && exit.reason === null) return { state: "finished", reason: null };
  return { state: "failed", reason: sentenceOf(exit) };
}

export function sentenceOf(exit: AttemptExit): string {
  if (exit.message !== null) return exit.message;
  if (exit.out_of_memory) return "The worker was ended because the machine ran out of memory.";
  if (exit.signal !== null) return `The worker was killed by ${exit.signal}.`;
  if (exit.reason !== null) return SENTENCES[exit.reason] ?? `The worker ended: ${exit.reason}.`;
  return `The worker exited with code ${exit.exit_code}; its last log lines say more.`;
}

/** What somebody can do about it. */
export function hintOf(exit: AttemptExit): string | null {
  if (exit.reason === "memory-limit")
    return "Give the run a higher memory limit (`limits.memory_gib`, --memory-limit), or make it smaller: its batch size first.";
  if (exit.out_of_memory)
    return "Run fewer trainings at once, or make this one smaller: its batch size first. A memory limit ends a training before the system does.";
  if (exit.reason === "time-limit")
    return "If it has saved a checkpoint, resume the run: each attempt has the whole time.";
  return null;
}

export function lostExit(reason: "worker-lost" | "supervisor-lost"): AttemptExit {
  return { exit_code: null, signal: null, out_of_memory: false, reason, message: null };
}

/** @param why what its executor says of it */
export function machineLostExit(why: string, patienceS: number): AttemptExit {
  const message = `The machine that trained it is lost: it has not answered for ${minutes(patienceS)} (${why}).`;
  return { exit_code: null, signal: null, out_of_memory: false, reason: "machine-lost", message };
}

/** While nobody knows yet whether the machine is lost. */
export function machineSilent(why: string, patienceS: number): string {
  return `The machine that trains it does not answer (${why}); it is given up if nothing is heard of it for ${minutes(patienceS)}.`;
}

function minutes(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

export function startFailedExit(message: string): AttemptExit {
  return { exit_code: null, signal: null, out_of_memory: false, reason: "start-failed", message };
}

export function wasPutBack(exit: string | null): boolean {
  return exit !== null && (JSON.parse(exit) as AttemptExit).message === PUT_BACK;
}
