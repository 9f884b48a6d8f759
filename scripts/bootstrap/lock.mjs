// A lock file that keeps two setups of one checkout apart, and outlives neither a crash nor a reboot.
import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const pollMs = 200;

/** Runs `work` while holding the lock; waits for a living holder, takes over from a dead one. */
export async function withLock(lockFile, work, onWait) {
  mkdirSync(path.dirname(lockFile), { recursive: true });
  let hasTold = false;
  while (!tryAcquire(lockFile)) {
    const holder = readHolder(lockFile);
    if (holder !== undefined && !isAlive(holder)) {
      takeAway(lockFile, holder);
      continue;
    }
    if (!hasTold) onWait?.(holder?.pid);
    hasTold = true;
    await delay(pollMs);
  }
  const release = () => rmSync(lockFile, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.removeListener("exit", release);
    release();
  }
}

// The content is complete before the name exists (write beside, then link), so that no reader ever
// sees a lock without its owner.
function tryAcquire(lockFile) {
  const beside = `${lockFile}.${process.pid}`;
  writeFileSync(beside, JSON.stringify({ pid: process.pid, started: startOf(process.pid) }));
  try {
    linkSync(beside, lockFile);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  } finally {
    unlinkSync(beside);
  }
}

function readHolder(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    if (error instanceof SyntaxError) return { pid: 0 };
    throw error;
  }
}

// A rename is atomic: of two that find the same dead holder one gets the file. Whoever moved away a
// lock that had meanwhile become a living one puts it back.
function takeAway(lockFile, deadHolder) {
  const aside = `${lockFile}.stale.${process.pid}`;
  try {
    renameSync(lockFile, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  const moved = readHolder(aside);
  if (moved?.pid !== deadHolder.pid || moved?.started !== deadHolder.started) {
    linkSync(aside, lockFile);
  }
  unlinkSync(aside);
}

function isAlive(holder) {
  if (!holder.pid) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
  const started = startOf(holder.pid);
  return started === undefined || holder.started === undefined || started === holder.started;
}

// Process ids are used again; on Linux the start time tells a namesake from the holder.
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ESRCH") return undefined;
    throw error;
  }
}
