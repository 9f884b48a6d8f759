// Looks each second whether what stands behind open attempts still lives, and repairs or ends what does not.
// After a server restart the same look is the reconciliation: nothing is remembered but the database.
import type { AttemptExit } from "@spotter/contract";
import type { Log } from "../../platform/log.ts";
import { lostExit, machineLostExit, machineSilent, PUT_BACK, startFailedExit } from "./endings.ts";
import {
  type AttemptHandle,
  type AttemptState,
  type Executor,
  MachineUnreachable,
} from "./executor.ts";
import type { FileFetcher } from "./file-fetcher.ts";
import { lastLinesOf } from "./last-lines.ts";
import type { JobLifecycle } from "./lifecycle.ts";
import type { LostAttempts } from "./lost-attempts.ts";
import { YIELD_GRACE_S } from "./preemptions.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Starter } from "./starter.ts";
import type { QueueStore } from "./store.ts";

const INTERVAL_MS = 1_000;
/** So long an attempt may take from its start until its executor can find it. */
const START_GRACE_S = 10;
/** A supervisor that dies again at once is not replaced every second, nor for ever. */
const REPLACE_INTERVAL_S = 5;
const MAX_REPLACEMENTS = 5;
const KILL_AFTER_TERMINATE_S = 40;
/** So far ahead of its writing `kill_at` lies at most: who gives way has the longest time. One more for rounding. */
const LONGEST_GRACE_S = YIELD_GRACE_S + 1;
/** A machine that misses one look is no news. */
const SILENT_LOOKS_TOLD = 3;

type OpenAttempt = Awaited<ReturnType<QueueStore["openAttempts"]>>[number];
type Orphaned = Extract<AttemptState, { kind: "orphaned" }>;

interface Silence {
  /** By the clock that nobody sets. */
  sinceMs: number;
  numLooks: number;
  /** When the attempt itself was last heard of: its supervisor may reach us, though its machine's agent does not. */
  heardAt: number | null;
}

export interface MonitorParts {
  readonly store: QueueStore;
  readonly lifecycle: JobLifecycle;
  readonly losses: LostAttempts;
  readonly scheduler: Pick<Scheduler, "kick">;
  readonly starter: Pick<Starter, "isStarting" | "giveUp">;
  readonly fetcher: Pick<FileFetcher, "giveUp">;
  readonly executor: Executor;
  readonly log: Log;
  readonly now: () => number;
}

export class Monitor {
  readonly #parts: MonitorParts;
  readonly #replacements = new Map<string, { count: number; at: number }>();
  readonly #silences = new Map<string, Silence>();
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
      const opens = await store.openAttempts();
      const keys = new Set(opens.map(keyOf));
      for (const key of this.#silences.keys()) if (!keys.has(key)) this.#silences.delete(key);
      // Together: a machine that does not answer must not hold up the look at the others.
      await Promise.all(opens.map((open) => this.#examineSafely(open)));
    } catch (error) {
      log.error({ error }, "The monitor's look failed; it looks again in a second.");
    }
    scheduler.kick();
  }

  /** One whose folder cannot be read or written, on a full disk for one, must not keep the others from being seen to. */
  async #examineSafely(open: OpenAttempt): Promise<void> {
    try {
      await this.#examine(open);
    } catch (error) {
      const { log } = this.#parts;
      log.error({ error, ...idsOf(open) }, "The look at an attempt failed; the next one comes.");
    }
  }

  async #examine(open: OpenAttempt): Promise<void> {
    const { executor, starter, now } = this.#parts;
    if (starter.isStarting(open.job_id, open.attempt)) {
      if (open.kill_at !== null && now() >= open.kill_at) starter.giveUp(open.job_id, open.attempt);
      return;
    }
    const handle = handleOf(open);
    if (handle.ref === null) return this.#findStarted(open, handle);
    const state = await executor.state(handle);
    if (state.kind === "unreachable") return this.#waitForMachine(open, handle, state.why);
    await this.#endSilence(open);
    if (state.kind === "orphaned" && !(await this.#noteSuccessor(open, handle)))
      await this.#replaceSupervisor(open, handle, state);
    await this.#endOverdue(open, handle);
  }

  /** The server went down between starting the attempt and noting what it is called. */
  async #findStarted(open: OpenAttempt, handle: AttemptHandle): Promise<void> {
    const { executor, losses, log, now } = this.#parts;
    let found: string | null;
    try {
      found = await executor.find(handle);
    } catch (error) {
      if (!(error instanceof MachineUnreachable)) throw error;
      return this.#waitForMachine(open, handle, error.message);
    }
    if (found !== null) return this.#note(open, found);
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
    if (found === null || found === handle.ref) return false;
    if ((await executor.state({ ...handle, ref: found })).kind !== "running") return false;
    await this.#note(open, found);
    return true;
  }

  /** The new one takes a living worker over, or hands in what a dead one left and says how it ended. */
  async #replaceSupervisor(
    open: OpenAttempt,
    handle: AttemptHandle,
    state: Orphaned,
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
      await this.#note(open, await executor.adopt(handle));
    } catch (error) {
      log.error({ error, ...idsOf(open) }, "A new supervisor could not be started.");
    }
  }

  /** Lost is what has given no sign of life by any way for as long as its executor has patience. */
  async #waitForMachine(open: OpenAttempt, handle: AttemptHandle, why: string): Promise<void> {
    const { executor, fetcher, lifecycle, log, now } = this.#parts;
    const heardAt = lastWordOf(open);
    const before = this.#silences.get(keyOf(open));
    const isNew = before === undefined || before.heardAt !== heardAt;
    const silence: Silence = {
      sinceMs: isNew ? performance.now() : before.sinceMs,
      numLooks: (before?.numLooks ?? 0) + 1,
      heardAt,
    };
    this.#silences.set(keyOf(open), silence);
    if (silence.numLooks === SILENT_LOOKS_TOLD) {
      log.warn({ ...idsOf(open), why }, "The machine of an attempt does not answer.");
      await lifecycle.explain(open.job_id, machineSilent(why, executor.patienceS));
    }
    // Nobody who has stopped it waits for the machine as well.
    const isOverdue = open.kill_at !== null && now() >= open.kill_at + KILL_AFTER_TERMINATE_S;
    const isLost = performance.now() - silence.sinceMs >= executor.patienceS * 1_000;
    if (!isOverdue && !isLost) return;
    // Before the job goes on or fails: what it goes on from must be here.
    await fetcher.giveUp(open.job_id);
    await this.#end(open, handle, machineLostExit(why, executor.patienceS));
  }

  async #endSilence(open: OpenAttempt): Promise<void> {
    const silence = this.#silences.get(keyOf(open));
    if (silence === undefined) return;
    this.#silences.delete(keyOf(open));
    if (silence.numLooks < SILENT_LOOKS_TOLD) return;
    this.#parts.log.info(idsOf(open), "The machine of an attempt answers again.");
    await this.#parts.lifecycle.explain(
      open.job_id,
      "The machine that trains it did not answer for a while, and is back.",
    );
  }

  async #end(open: OpenAttempt, handle: AttemptHandle, exit: AttemptExit): Promise<void> {
    const { executor, losses, log } = this.#parts;
    log.warn({ ...idsOf(open), exit }, "An attempt is lost.");
    await losses.end({
      jobId: open.job_id,
      attempt: open.attempt,
      exit,
      lastLines: await lastLinesOf(executor, handle, log),
    });
    this.#replacements.delete(keyOf(open));
    this.#silences.delete(keyOf(open));
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

  async #note(open: OpenAttempt, ref: string): Promise<void> {
    const { store } = this.#parts;
    await store.transaction((transaction) =>
      store.updateAttempt(transaction, open.job_id, open.attempt, { executor_ref: ref }),
    );
  }
}

/** A time that lies ahead was taken before the clock was set back: nothing waits for it. */
function isWithin(seconds: number, since: number, now: number): boolean {
  return now >= since && now - since < seconds;
}

function lastWordOf({ heartbeat_at: beat, last_event_at: event }: OpenAttempt): number | null {
  return beat === null || event === null ? (beat ?? event) : Math.max(beat, event);
}

function handleOf(open: OpenAttempt): AttemptHandle {
  return { jobId: open.job_id, attempt: open.attempt, ref: open.executor_ref };
}

function idsOf(open: OpenAttempt) {
  return { job_id: open.job_id, attempt: open.attempt };
}

function keyOf(open: OpenAttempt): string {
  return `${open.job_id}/${open.attempt}`;
}
