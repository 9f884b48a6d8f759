// How a job's row changes: one transaction in which the rooms above keep their own rows in step, and the news after it.
import type { AttemptExit } from "@spotter/contract";
import type { Transaction } from "kysely";
import type { AnyTables } from "../../platform/db/database.ts";
import type { QueueStore, QueueTransaction } from "./store.ts";

/** An attempt that ended without the worker's own word; the lines are the last that its processes wrote. */
export interface LostAttempt {
  readonly jobId: number;
  readonly attempt: number;
  readonly exit: AttemptExit;
  readonly lastLines: readonly string[];
}

/** A higher room that keeps something beside jobs. */
export interface JobObserver {
  /** Inside the transaction that changed these jobs' rows. */
  jobsChanged(transaction: Transaction<AnyTables>, jobIds: readonly number[]): Promise<void>;
  attemptLost(transaction: Transaction<AnyTables>, lost: LostAttempt): Promise<void>;
  /** After the commit. */
  afterJobsChanged(jobIds: readonly number[]): void;
  /** Files of these paths, which its worker had told of, are nowhere any more. */
  filesLost?(
    transaction: Transaction<AnyTables>,
    jobId: number,
    paths: readonly string[],
  ): Promise<void>;
  /** Where a lost job goes on from, relative to its folder; null: from its beginning. */
  lastCheckpoint?(jobId: number): Promise<string | null>;
}

export class JobChanges {
  readonly #store: QueueStore;
  readonly #observers: JobObserver[] = [];

  constructor(store: QueueStore) {
    this.#store = store;
  }

  observe(observer: JobObserver): void {
    this.#observers.push(observer);
  }

  /** Runs `change` and tells the observers about the jobs that it returns, inside and after the transaction. */
  async change(
    change: (transaction: QueueTransaction) => Promise<readonly number[]>,
  ): Promise<readonly number[]> {
    const jobIds = await this.#store.transaction(async (transaction) => {
      const changed = await change(transaction);
      if (changed.length > 0)
        for (const observer of this.#observers)
          await observer.jobsChanged(transaction as Transaction<AnyTables>, changed);
      return changed;
    });
    if (jobIds.length > 0)
      for (const observer of this.#observers) observer.afterJobsChanged(jobIds);
    return jobIds;
  }

  async attemptLost(transaction: QueueTransaction, lost: LostAttempt): Promise<void> {
    for (const observer of this.#observers)
      await observer.attemptLost(transaction as Transaction<AnyTables>, lost);
  }

  async filesLost(
    transaction: QueueTransaction,
    jobId: number,
    paths: readonly string[],
  ): Promise<void> {
    for (const observer of this.#observers)
      await observer.filesLost?.(transaction as Transaction<AnyTables>, jobId, paths);
  }

  async lastCheckpoint(jobId: number): Promise<string | null> {
    for (const observer of this.#observers)
      if (observer.lastCheckpoint !== undefined) return observer.lastCheckpoint(jobId);
    return null;
  }
}
