// Looks each second whether the processes behind open attempts still live, and repairs or ends what does not.
// After a server restart the same look is the reconciliation: nothing is remembered but the database.
import type { AttemptExit } from "@spotter/contract";
import type { Log } from "../../platform/log.ts";
import { lostExit, PUT_BACK, startFailedExit } from "./endings.ts";
import type { AttemptHandle, Executor, ExecutorState } from "./executor.ts";
import type { JobLifecycle } from "./lifecycle.ts";
import type { LostAttempts } from "./lost-attempts.ts";
import type { Scheduler } from "./scheduler.ts";
import type { QueueStore } from "./store.ts";

const INTERVAL_MS = 1_000;
/** So long a supervisor may take from its start until it has put its pid on disk. */
const START_GRACE_S = 10;
/** A supervisor that dies again at once is not replaced every second, nor for ever. */
const REPLACE_INTERVAL_S = 5;
const MAX_REPLACEMENTS = 5;
const KILL_AFTER_TERMINATE_S = 40;
/** So far ahead of its writing `kill_at` lies at most. */
const LONGEST_GRACE_S = 60;
const NUM_LAST_LINES = 50;

type OpenAttempt = Awaited<ReturnType<QueueStore["openAttempts"]>>[number];

export interface MonitorParts {
  readonly store: QueueStore;
  readonly lifecycle: JobLifecycle;
  readonly losses: LostAttempts;
  readonly scheduler: Scheduler;
  readonly executor: Executor;
  readonly log: Log;
  readonly now: () => number;
}

export class Monitor {
  readonly #parts: MonitorParts;
  readonly #replacements = new Map<string, { count: number; at: number }>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: MonitorParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#looking = this.look();
    this.#timer = setTimeout(async () => {
      await this.#looking;
      if (!this.#stopped) this.start();
    }, INTERVAL_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  /** One look at all open attempts; never rejects. */
  async look(): Promise<void> {
    const { store, scheduler, log } = this.#parts;
    try {
      for (const open of await store.openAttempts()) await this.#examineAlone(open);
    } catch (error) {
      log.error({ error }, "The monitor's look failed; it looks again in a second.");
    }
    scheduler.kick();
  }

  /** One whose folder cannot be read or written, on a full disk for one, must not keep the others from being seen to. */
  async #examineAlone(open: OpenAttempt): Promise<void> {
    try {
      await this.#examine(open);
    } catch (error) {
      const { log } = this.#parts;
      log.error({ error, ...idsOf(open) }, "An attempt could not be examined; in a second again.");
    }
  }

  async #examine(open: OpenAttempt): Promise<void> {
    const { executor } = this.#parts;
    const handle = handleOf(open, executor.runDir(open.job_id));
    if (handle.pid === null) return this.#findStarted(open, handle);
    const state = await executor.state(handle);
    if (state.supervisor === "gone" && !(await this.#noteSuccessor(open, handle)))
      await this.#replaceSupervisor(open, handle, state);
    await this.#endOverdue(open, handle);
  }

  /** The server went down between starting the supervisor and noting its pid. */
  async #findStarted(open: OpenAttempt, handle: AttemptHandle): Promise<void> {
    const { executor, losses, log, now } = this.#parts;
    const found = await executor.find(handle);
    if (found !== null) return this.#note(open, found.pid, found.startTime);
    if (isWithin(START_GRACE_S, open.started_at, now())) return;
    log.warn(idsOf(open), "An attempt never started; its job waits again.");
    // A supervisor that comes up later still, on a busy machine, must not start a worker beside the next attempt's.
    await executor.stop(handle, "kill");
    await losses.putBack(open.job_id, open.attempt, startFailedExit(PUT_BACK));
  }

  /** The server went down between replacing a supervisor and noting the new one, which has the attempt now. */
  async #noteSuccessor(open: OpenAttempt, handle: AttemptHandle): Promise<boolean> {
    const { executor } = this.#parts;
    const found = await executor.find(handle);
    if (found === null || found.pid === handle.pid) return false;
    const successor = { ...handle, pid: found.pid, pidStartTime: found.startTime };
    if ((await executor.state(successor)).supervisor === "gone") return false;
    await this.#note(open, found.pid, found.startTime);
    return true;
  }

  /** The new one takes a living worker over, or hands in what a dead one left and says how it ended. */
  async #replaceSupervisor(
    open: OpenAttempt,
    handle: AttemptHandle,
    state: ExecutorState,
  ): Promise<void> {
    const { executor, lifecycle, log, now } = this.#parts;
    const past = this.#replacements.get(keyOf(open)) ?? { count: 0, at: 0 };
    if (isWithin(REPLACE_INTERVAL_S, past.at, now())) return;
    if (past.count >= MAX_REPLACEMENTS) {
      // The job may be tried again, and never by two workers at once.
      if (state.worker === "alive") return executor.stop(handle, "kill");
      return this.#end(open, handle, state.exit ?? lostExit("supervisor-lost"));
    }
    this.#replacements.set(keyOf(open), { count: past.count + 1, at: now() });
    log.warn({ ...idsOf(open), worker: state.worker }, "A supervisor is gone; another is started.");
    if (state.worker === "alive")
      await lifecycle.explain(
        open.job_id,
        "The supervisor process was gone; a new one has taken over the running worker.",
      );
    try {
      const adopted = await executor.adopt(handle);
      await this.#note(open, adopted.pid, adopted.startTime);
    } catch (error) {
      log.error({ error, ...idsOf(open) }, "A new supervisor could not be started.");
    }
  }

  async #end(open: OpenAttempt, handle: AttemptHandle, exit: AttemptExit): Promise<void> {
    const { executor, losses, log } = this.#parts;
    log.warn({ ...idsOf(open), exit }, "An attempt is lost.");
    await losses.end({
      jobId: open.job_id,
      attempt: open.attempt,
      exit,
      lastLines: await executor.logs(handle, NUM_LAST_LINES),
    });
    this.#replacements.delete(keyOf(open));
  }

  /** The worker did not stop when it was asked. */
  async #endOverdue(open: OpenAttempt, handle: AttemptHandle): Promise<void> {
    const { executor, now } = this.#parts;
    // Further ahead than any grace is only what was written before the clock was set back.
    if (open.kill_at === null || isWithin(LONGEST_GRACE_S, open.kill_at - LONGEST_GRACE_S, now()))
      return;
    const isLast = now() >= open.kill_at + KILL_AFTER_TERMINATE_S;
    await executor.stop(handle, isLast ? "kill" : "terminate");
  }

  async #note(open: OpenAttempt, pid: number, startTime: string): Promise<void> {
    const { store } = this.#parts;
    await store.transaction((transaction) =>
      store.updateAttempt(transaction, open.job_id, open.attempt, {
        pid,
        pid_start_time: startTime,
      }),
    );
  }
}

/** A time that lies ahead was taken before the clock was set back: nothing waits for it. */
function isWithin(seconds: number, since: number, now: number): boolean {
  return now >= since && now - since < seconds;
}

function handleOf(open: OpenAttempt, runDir: string): AttemptHandle {
  return {
    jobId: open.job_id,
    attempt: open.attempt,
    runDir,
    pid: open.pid,
    pidStartTime: open.pid_start_time,
  };
}

function idsOf(open: OpenAttempt) {
  return { job_id: open.job_id, attempt: open.attempt };
}

function keyOf(open: OpenAttempt): string {
  return `${open.job_id}/${open.attempt}`;
}
