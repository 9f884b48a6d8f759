// One server a data folder: a lock file with the holder's pid and start time. A holder that is gone leaves a stale
// file, which is taken over; a pid alone proves nothing, for it may belong to somebody else by now.
import { execFileSync } from "node:child_process";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";

const Holder = z.object({
  pid: z.number().int(),
  /** As the system tells it; null where it cannot be had. */
  start_time: z.string().nullable(),
  since: z.number(),
});
type Holder = z.infer<typeof Holder>;

const fileName = "server.lock";
const MAX_TRIES = 5;

/** The data folder belongs to a server that is running. */
export class HomeTakenError extends Error {
  override readonly name = "HomeTakenError";
}

export interface HomeLock {
  release(): void;
}

/** @throws HomeTakenError */
export function takeHomeLock(home: string): HomeLock {
  const file = path.join(home, fileName);
  const own: Holder = {
    pid: process.pid,
    start_time: processStartTime(process.pid),
    since: Date.now() / 1000,
  };
  for (let numTried = 1; numTried <= MAX_TRIES; numTried += 1) {
    if (tryCreate(file, own)) return { release: () => release(file, own) };
    const holder = readHolder(file);
    if (holder !== undefined && isRunning(holder)) throw takenBy(home, holder);
    removeStale(file);
  }
  throw new HomeTakenError(
    `The lock ${file} appears again each time it is removed: several servers start on this folder at once.`,
  );
}

/**
 * When a process began, in the system's own words; null when there is no such process.
 * Two processes that had one pid after the other differ in it.
 */
export function processStartTime(pid: number): string | null {
  try {
    if (process.platform === "linux") {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      // The second field is the program's name in brackets and may hold anything; field 22 is the start.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return fields[0] === "Z" ? null : (fields[19] ?? null);
    }
    const text = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
    return text.trim() || null;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

// No such file in /proc; `ps` ends with 1 when there is no such process.
function isGone(error: unknown): boolean {
  const { code, status } = error as { code?: string; status?: number };
  return code === "ENOENT" || code === "ESRCH" || status === 1;
}

// The content is complete before the name exists, so that nobody takes a lock that is being written for a stale one.
function tryCreate(file: string, own: Holder): boolean {
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, JSON.stringify(own), { mode: 0o600 });
  try {
    linkSync(beside, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(beside, { force: true });
  }
}

// Moved aside and read once more before it is thrown away: between reading and removing, another server may have put
// its own fresh lock there.
function removeStale(file: string): void {
  const aside = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const holder = readHolder(aside);
  if (holder !== undefined && isRunning(holder)) renameSync(aside, file);
  else rmSync(aside, { force: true });
}

function readHolder(file: string): Holder | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const parsed = Holder.safeParse(parseJson(text));
  return parsed.success ? parsed.data : undefined;
}

// A file that was cut off in the middle of its writing has no holder.
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRunning(holder: Holder): boolean {
  const startTime = processStartTime(holder.pid);
  return startTime !== null && startTime === holder.start_time;
}

function release(file: string, own: Holder): void {
  if (readHolder(file)?.pid === own.pid) rmSync(file, { force: true });
}

function takenBy(home: string, { pid, since }: Holder): HomeTakenError {
  const time = new Date(since * 1000).toLocaleString("sv-SE");
  return new HomeTakenError(
    `The data folder ${home} belongs to a Spotter server that is running: process ${pid}, since ${time}. Use that one, end it first, or name another folder by SPOTTER_HOME.`,
  );
}
