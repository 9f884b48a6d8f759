// Tells processes apart for good: a pid alone may by now belong to another program, pid and start time together cannot.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The start time of a living process as the system writes it; null when there is none or only its zombie. */
export async function startTimeOf(pid: number): Promise<string | null> {
  return process.platform === "linux" ? startTimeFromProc(pid) : startTimeFromPs(pid);
}

export async function isAlive(pid: number, startTime: string): Promise<boolean> {
  return (await startTimeOf(pid)) === startTime;
}

/**
 * The 22nd field of /proc/<pid>/stat; counted behind the name, which may hold blanks and brackets.
 * Read in place: the kernel answers from memory, and a thread woken for each look costs more than the look.
 */
function startTimeFromProc(pid: number): string | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return null;
    throw error;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const isZombie = fields[0] === "Z" || fields[0] === "X";
  return isZombie ? null : (fields[19] ?? null);
}

async function startTimeFromPs(pid: number): Promise<string | null> {
  try {
    const { stdout } = await run("ps", ["-o", "stat=,lstart=", "-p", String(pid)]);
    const [state, ...rest] = stdout.trim().split(/\s+/);
    return state === undefined || state.startsWith("Z") ? null : rest.join(" ");
  } catch (error) {
    // ps answers 1 when there is no such process.
    if ((error as { code?: unknown }).code === 1) return null;
    throw error;
  }
}
