// What people and the scheduler make of a job: submitted, started, told something, stopped, cancelled, queued again.
// What a lost attempt makes of it is in `lost-attempts.ts`.
import {
  ACTIVE_STATES,
  type CommandAction,
  type JobKind,
  type JobState,
  type ResourceWish,
  type RunLimits,
} from "@spotter/contract";
import type { Transaction } from "kysely";
import type { AnyTables } from "../../platform/db/database.ts";
import type { CommandsStore } from "./commands-store.ts";
import { wasPutBack } from "./endings.ts";
import type { JobChanges } from "./job-changes.ts";
import type { QueueStore, QueueTransaction } from "./store.ts";
import type {
  CommandWish,
  Granted,
  JobCommandRow,
  JobRow,
  JobWork,
  QueueTables,
  Restart,
} from "./tables.ts";

export interface Submission {
  readonly kind: JobKind;
  readonly projectId: number;
  readonly ownerId: number | null;
  /** Given the id, since names such as `vision-digits-42` carry it. */
  readonly nameOf: (id: number) => string;
  /** Null for external jobs: nobody is started for them. */
  readonly work: JobWork | null;
  readonly ownerName?: string;
  readonly priority?: number;
  readonly wish?: ResourceWish;
  readonly limits?: RunLimits;
}

/** What a person tells a job's worker. */
export interface GivenCommand {
  readonly action: CommandAction;
  readonly by: { readonly id: number | null; readonly name: string | null };
  readonly wish?: CommandWish;
  /** Of a `revert` only. */
  readonly restart?: Restart | null;
}

/** A worker that is asked to stop has so long to save its state before signals end it. */
const STOP_GRACE_S = 60;

export class JobLifecycle {
  readonly #store: QueueStore;
  readonly #commands: CommandsStore;
  readonly #changes: JobChanges;
  readonly #now: () => number;

  constructor(store: QueueStore, commands: CommandsStore, changes: JobChanges, now: () => number) {
    this.#store = store;
    this.#commands = commands;
    this.#changes = changes;
    this.#now = now;
  }

  /** Inside the caller's transaction, so that a run and its job are made together. */
  async submit(transaction: Transaction<AnyTables>, submission: Submission): Promise<JobRow["id"]> {
    const own = transaction.withTables<QueueTables>();
    const now = this.#now();
    const isExternal = submission.kind === "external";
    const id = await this.#store.insertJob(own, {
      kind: submission.kind,
      project_id: submission.projectId,
      owner_id: submission.ownerId,
      name: "",
      state: isExternal ? "running" : "queued",
      created_at: now,
      started_at: isExternal ? now : null,
      reason: null,
      work: submission.work === null ? null : JSON.stringify(submission.work),
      priority: submission.priority ?? 0,
      owner_name: submission.ownerName ?? null,
      wish: submission.wish === undefined ? null : JSON.stringify(submission.wish),
      limits: submission.limits === undefined ? null : JSON.stringify(submission.limits),
    });
    await this.#store.updateJob(own, id, ["queued", "running"], { name: submission.nameOf(id) });
    if (isExternal) await this.#openExternalAttempt(own, id, 1, now);
    return id;
  }

  /** An own script that was started again: its earlier attempt is over. */
  async reopenExternal(jobId: number, attempt: number): Promise<void> {
    const now = this.#now();
    await this.#changes.change(async (transaction) => {
      await this.#store.updateAttempt(transaction, jobId, attempt - 1, {
        state: "ended",
        ended_at: now,
        closed_at: now,
      });
      await this.#openExternalAttempt(transaction, jobId, attempt, now);
      return [jobId];
    });
  }

  async #openExternalAttempt(
    transaction: QueueTransaction,
    jobId: number,
    attempt: number,
    now: number,
  ): Promise<void> {
    await this.#store.insertAttempt(transaction, {
      job_id: jobId,
      attempt,
      state: "running",
      token_hash: null,
      started_at: now,
    });
    await this.#store.updateJob(
      transaction,
      jobId,
      ["running", "paused", "finished", "failed", "stopped"],
      { current_attempt: attempt, state: "running", ended_at: null, reason: null },
    );
  }

  /**
   * One that was lost while it was paused is told so at once, and pauses at its first step.
   * @returns null when the job is not queued any more
   */
  async beginAttempt(
    jobId: number,
    attempt: number,
    tokenHash: string,
    grant: { readonly granted: Granted | null; readonly resumeFrom: string | null },
  ): Promise<{ readonly isPaused: boolean } | null> {
    let isPaused = false;
    const changed = await this.#changes.change(async (transaction) => {
      const pause = await this.#pauseToKeep(transaction, jobId);
      const taken = await this.#store.updateJob(transaction, jobId, ["queued"], {
        state: "starting",
        current_attempt: attempt,
        resume_from: grant.resumeFrom,
        granted: grant.granted === null ? null : JSON.stringify(grant.granted),
        not_before: null,
        reason: null,
        ended_at: null,
        stop_requested_at: null,
        kill_at: null,
        ...{ restart_from: null, preempted_by: null },
      });
      if (!taken) return [];
      await this.#store.insertAttempt(transaction, {
        job_id: jobId,
        attempt,
        state: "starting",
        token_hash: tokenHash,
        started_at: this.#now(),
      });
      isPaused = pause !== undefined;
      if (pause !== undefined)
        await this.#commands.insert(transaction, {
          ...{ job_id: jobId, attempt, action: "pause", wish: {}, restart: null },
          ...{ created_at: this.#now() },
          ...{ created_by: pause.created_by, created_by_name: pause.created_by_name },
        });
      return [jobId];
    });
    return changed.length > 0 ? { isPaused } : null;
  }

  /** Only a loss is not to end a pause: who resumes a run, or takes a change back, wants it to train. */
  async #pauseToKeep(
    transaction: QueueTransaction,
    jobId: number,
  ): Promise<JobCommandRow | undefined> {
    const before = await transaction
      .selectFrom("jobs")
      .leftJoin("attempts", (join) =>
        join
          .onRef("attempts.job_id", "=", "jobs.id")
          .onRef("attempts.attempt", "=", "jobs.current_attempt"),
      )
      .select(["current_attempt", "not_before", "restart_from", "exit"])
      .where("jobs.id", "=", jobId)
      .executeTakeFirst();
    if (before === undefined || before.restart_from !== null) return undefined;
    if (before.not_before === null && !wasPutBack(before.exit)) return undefined;
    return this.#commands.pauseOf(jobId, before.current_attempt, transaction);
  }

  /** An own script or followed folder from which nothing more is wanted. */
  async endExternal(jobId: number): Promise<boolean> {
    const now = this.#now();
    const changed = await this.#changes.change(async (transaction) => {
      const stopped = await this.#store.updateJob(transaction, jobId, ACTIVE_STATES, {
        state: "stopped",
        ended_at: now,
      });
      if (!stopped) return [];
      const { current_attempt: attempt } = await transaction
        .selectFrom("jobs")
        .select("current_attempt")
        .where("id", "=", jobId)
        .executeTakeFirstOrThrow();
      await this.#store.updateAttempt(transaction, jobId, attempt, {
        state: "ended",
        ended_at: now,
        closed_at: now,
      });
      return [jobId];
    });
    return changed.length > 0;
  }

  async explain(jobId: number, reason: string): Promise<void> {
    await this.#changes.change(async (transaction) => {
      const changed = await this.#store.updateJob(transaction, jobId, ACTIVE_STATES, { reason });
      return changed ? [jobId] : [];
    });
  }

  /** One that has run before can be resumed later: it is stopped. @returns false when the job has started meanwhile */
  async cancelQueued(jobId: number): Promise<boolean> {
    const changed = await this.#changes.change(async (transaction) => {
      const cancelled = await this.#store.updateJob(transaction, jobId, ["queued"], {
        state: (await hasRun(transaction, jobId)) ? "stopped" : "cancelled",
        ...{ ended_at: this.#now(), reason: null, preempted_by: null, restart_from: null },
      });
      return cancelled ? [jobId] : [];
    });
    return changed.length > 0;
  }

  /** Queues another attempt of a job that has ended. @returns false when its state has changed meanwhile */
  async requeue(
    jobId: number,
    resumeFrom: string | null,
    from: readonly JobState[],
  ): Promise<boolean> {
    const attemptsBefore = (await this.#store.job(jobId))?.current_attempt ?? 0;
    const changed = await this.#changes.change(async (transaction) => {
      const queued = await this.#store.updateJob(
        transaction,
        jobId,
        from,
        this.#restarted(resumeFrom, attemptsBefore),
      );
      return queued ? [jobId] : [];
    });
    return changed.length > 0;
  }

  /** The same for a `revert` of a job that no worker could be told of; null when its state has changed meanwhile. */
  async requeueReverted(
    job: JobRow,
    from: readonly JobState[],
    given: GivenCommand & { readonly restart: Restart },
  ): Promise<JobCommandRow | null> {
    const { checkpoint } = given.restart;
    let command: JobCommandRow | null = null;
    await this.#changes.change(async (transaction) => {
      const change = this.#restarted(checkpoint, job.current_attempt);
      if (!(await this.#store.updateJob(transaction, job.id, from, change))) return [];
      const sent = await this.#commands.insert(transaction, this.#commandRow(job, given));
      await this.#store.updateJob(transaction, job.id, ["queued"], {
        reverted_changes: sent.reverted,
      });
      command = await this.#commands.complete(transaction, sent.id, this.#now());
      return [job.id];
    });
    return command;
  }

  /** Ends the process at once: 0 lies so far back that the monitor does not ask kindly first. */
  async killNow(jobId: number): Promise<void> {
    await this.#changes.change(async (transaction) => {
      const changed = await this.#store.updateJob(transaction, jobId, ACTIVE_STATES, {
        stop_requested_at: this.#now(),
        kill_at: 0,
      });
      return changed ? [jobId] : [];
    });
  }

  /** @returns null when the attempt that it is for has ended meanwhile */
  async insertCommand(job: JobRow, given: GivenCommand): Promise<JobCommandRow | null> {
    const now = this.#now();
    return this.#store.transaction(async (transaction) => {
      if (!(await this.#commands.hold(transaction, job, ACTIVE_STATES))) return null;
      if (given.action === "stop")
        await this.#store.updateJob(transaction, job.id, ACTIVE_STATES, {
          stop_requested_at: now,
          kill_at: now + STOP_GRACE_S,
        });
      return this.#commands.insert(transaction, this.#commandRow(job, given));
    });
  }

  #commandRow(job: JobRow, { action, by, wish = {}, restart = null }: GivenCommand) {
    return {
      ...{ job_id: job.id, attempt: job.current_attempt, action, wish, restart },
      ...{ created_at: this.#now(), created_by: by.id, created_by_name: by.name },
    };
  }

  /** A job that waits for its next attempt, which goes on from there; those before count no more. */
  #restarted(resumeFrom: string | null, attemptsBefore: number) {
    return {
      ...{ state: "queued" as const, resume_from: resumeFrom, restart_from: null },
      ...{ queued_at: this.#now(), not_before: null, attempts_before: attemptsBefore },
      ...{ ended_at: null, reason: null, stop_requested_at: null, kill_at: null },
      preempted_by: null,
    };
  }
}

async function hasRun(transaction: QueueTransaction, jobId: number): Promise<boolean> {
  const row = await transaction
    .selectFrom("attempts")
    .select("attempt")
    .where("job_id", "=", jobId)
    .where("first_step", "is not", null)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
