// Brings attempts to life: what they need is staged, then their processes are started and noted. Several at once, as
// staging on another machine may take minutes; one that is stopped meanwhile is given up.
import type { JobSpec } from "@spotter/contract";
import type { Log } from "../../platform/log.ts";
import { startFailedExit } from "./endings.ts";
import type { AttemptHandle, Executor } from "./executor.ts";
import type { FileFetcher } from "./file-fetcher.ts";
import { lastLinesOf } from "./last-lines.ts";
import type { LostAttempts } from "./lost-attempts.ts";
import { materialOf } from "./material.ts";
import type { QueueStore } from "./store.ts";

export interface StarterParts {
  readonly store: QueueStore;
  readonly losses: LostAttempts;
  readonly executor: Executor;
  readonly fetcher: FileFetcher;
  /** Where the server keeps a job's files. */
  readonly runDir: (jobId: number) => string;
  readonly log: Log;
}

interface Start {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

export class Starter {
  readonly #parts: StarterParts;
  readonly #starts = new Map<string, Start>();
  #isStopped = false;

  constructor(parts: StarterParts) {
    this.#parts = parts;
  }

  /** Never rejects: a start that fails ends its attempt with the reason. */
  begin(spec: JobSpec, token: string): Promise<void> {
    const key = keyOf(spec.job_id, spec.attempt);
    const abort = new AbortController();
    const done = this.#start(spec, token, abort.signal).finally(() => this.#starts.delete(key));
    this.#starts.set(key, { abort, done });
    return done;
  }

  /** Whether this server is starting it right now. */
  isStarting(jobId: number, attempt: number): boolean {
    return this.#starts.has(keyOf(jobId, attempt));
  }

  /** Somebody has stopped the job before it began. */
  giveUp(jobId: number, attempt: number): void {
    this.#starts.get(keyOf(jobId, attempt))?.abort.abort();
  }

  /** What is half staged the next server puts back into the queue. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const { abort } of this.#starts.values()) abort.abort();
    await Promise.all([...this.#starts.values()].map(({ done }) => done));
  }

  async #start(spec: JobSpec, token: string, signal: AbortSignal): Promise<void> {
    const { executor, store, log } = this.#parts;
    const { job_id: jobId, attempt } = spec;
    const handle = { jobId, attempt, ref: null };
    try {
      await this.#stage(spec, token, signal);
      // Of a server that ends, the next one goes on with what has begun.
      if (!this.#isStopped) signal.throwIfAborted();
      const ref = await executor.start(handle);
      await store.transaction((transaction) =>
        store.updateAttempt(transaction, jobId, attempt, { executor_ref: ref }),
      );
      log.info({ job_id: jobId, attempt, ref }, "Attempt started.");
    } catch (error) {
      // Nobody is told: the next server finds it as it is, begun or not.
      if (this.#isStopped) return;
      await this.#fail(handle, error as Error).catch((failure: unknown) => {
        log.error({ error: failure, job_id: jobId, attempt }, "A failed start was not noted.");
      });
    }
  }

  async #stage(spec: JobSpec, token: string, signal: AbortSignal): Promise<void> {
    const { executor, fetcher, runDir } = this.#parts;
    // It is taken from here to wherever the attempt begins: another machine, perhaps.
    if (spec.resume_from !== null) await fetcher.require(spec.job_id, spec.resume_from);
    signal.throwIfAborted();
    const material = materialOf(spec, runDir(spec.job_id));
    await executor.stage({ spec, token, material }, signal);
  }

  async #fail(handle: AttemptHandle, error: Error): Promise<void> {
    const { executor, losses, log } = this.#parts;
    const { jobId, attempt } = handle;
    const ids = { job_id: jobId, attempt };
    log.error({ error, ...ids }, "An attempt could not be started.");
    const lastLines = await lastLinesOf(executor, handle, log);
    // The answer may have been lost, and not the order: it must not train for nobody.
    if (executor.files !== null)
      await executor.stop(handle, "kill").catch((failure: unknown) => {
        log.warn({ error: failure, ...ids }, "An attempt that did not start was not cleared away.");
      });
    const exit = startFailedExit(`The worker could not be started: ${error.message}`);
    await losses.end({ jobId, attempt, exit, lastLines });
  }
}

function keyOf(jobId: number, attempt: number): string {
  return `${jobId}/${attempt}`;
}
