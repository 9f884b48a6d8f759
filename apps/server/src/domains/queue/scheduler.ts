// Plain first-in-first-out: one training at a time, beside it one prediction and one pre-flight. Starts what may start
// and says of the rest why it waits.
import { availableParallelism } from "node:os";
import type { JobKind, JobSpec } from "@spotter/contract";
import { PROTOCOL } from "@spotter/contract";
import type { Log } from "../../platform/log.ts";
import { newAttemptToken } from "./attempt-tokens.ts";
import { startFailedExit } from "./endings.ts";
import type { Executor } from "./executor.ts";
import type { JobLifecycle } from "./lifecycle.ts";
import type { QueueStore } from "./store.ts";
import type { JobRow, JobWork } from "./tables.ts";

/** Kinds that share a place: of each line one runs at a time. */
const SLOTS: readonly (readonly JobKind[])[] = [["train"], ["predict"], ["preflight"]];

export class Scheduler {
  readonly #store: QueueStore;
  readonly #lifecycle: JobLifecycle;
  readonly #executor: Executor;
  readonly #log: Log;
  #running: Promise<void> = Promise.resolve();
  #passesWaiting = 0;
  #stopped = false;

  constructor(store: QueueStore, lifecycle: JobLifecycle, executor: Executor, log: Log) {
    this.#store = store;
    this.#lifecycle = lifecycle;
    this.#executor = executor;
    this.#log = log;
  }

  /** Looks for work soon. Passes run one after the other; one that is already waiting serves all who ask. */
  kick(): void {
    if (this.#stopped || this.#passesWaiting > 0) return;
    this.#passesWaiting++;
    this.#running = this.#running.then(async () => {
      this.#passesWaiting--;
      if (this.#stopped) return;
      try {
        await this.#pass();
      } catch (error) {
        this.#log.error({ error }, "The scheduler's pass failed; it is tried again.");
      }
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #pass(): Promise<void> {
    for (const kinds of SLOTS) {
      const occupant = (await this.#store.openAttempts()).find((open) => kinds.includes(open.kind));
      if (occupant === undefined) {
        const next = await this.#store.nextWaiting(kinds);
        if (next === undefined) continue;
        const obstacle = this.#executor.unavailable();
        if (obstacle !== null) {
          await this.#explainWaiting(kinds, obstacle);
          continue;
        }
        await this.#begin(next);
        // A start that failed has freed the slot again.
        this.kick();
      } else {
        await this.#explainWaiting(
          kinds,
          occupant.kind === "train"
            ? `Waits for run ${occupant.job_id} to end: one training runs at a time.`
            : occupant.kind === "predict"
              ? "Waits for an earlier prediction to end."
              : "Waits for an earlier pre-flight to end.",
        );
      }
    }
  }

  async #explainWaiting(kinds: readonly JobKind[], reason: string): Promise<void> {
    await this.#lifecycle.change((transaction) =>
      this.#store.explainWaiting(transaction, kinds, reason),
    );
  }

  async #begin(job: JobRow): Promise<void> {
    const attempt = job.current_attempt + 1;
    const token = newAttemptToken();
    const runDir = this.#executor.runDir(job.id);
    if (!(await this.#lifecycle.beginAttempt(job.id, attempt, token.hash))) return;
    const handle = { jobId: job.id, attempt, runDir, pid: null, pidStartTime: null };
    try {
      await this.#executor.stage(specOf(job, attempt), token.secret);
      const started = await this.#executor.start(handle);
      await this.#store.transaction((transaction) =>
        this.#store.updateAttempt(transaction, job.id, attempt, {
          pid: started.pid,
          pid_start_time: started.startTime,
        }),
      );
      this.#log.info({ job_id: job.id, attempt, pid: started.pid }, "Attempt started.");
    } catch (error) {
      const message = `The worker could not be started: ${(error as Error).message}`;
      this.#log.error({ error, job_id: job.id, attempt }, "An attempt could not be started.");
      const lastLines = await this.#executor.logs(handle, 50);
      await this.#lifecycle.endAttempt({
        jobId: job.id,
        attempt,
        exit: startFailedExit(message),
        lastLines,
      });
    }
  }
}

/** The attempt's spec, made anew from the job's row whenever it is asked for. */
export function specOf(job: JobRow, attempt: number): JobSpec {
  if (job.work === null || job.kind === "external")
    throw new Error(`job ${job.id} is followed, not started by us: it has no spec`);
  const work = JSON.parse(job.work) as JobWork;
  const cores = availableParallelism();
  return {
    protocol: PROTOCOL,
    job_id: job.id,
    attempt,
    kind: job.kind,
    name: job.name,
    recipe: work.recipe,
    config: work.config,
    places: work.places,
    resume_from: job.resume_from,
    predict: work.predict,
    preflight: work.preflight ?? null,
    fork: work.fork ?? null,
    // A prediction or a pre-flight runs beside a training and should not slow it.
    num_threads: job.kind === "train" ? cores : Math.max(1, Math.floor(cores / 2)),
  };
}
