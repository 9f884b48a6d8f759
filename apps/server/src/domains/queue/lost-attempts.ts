// Attempts whose end only the server can tell: what becomes of their jobs. What worker and supervisor tell themselves is
// the sink's; both decide alike.
import { ACTIVE_STATES, type AttemptExit } from "@spotter/contract";
import type { CommandsStore } from "./commands-store.ts";
import { endingOf, wasPutBack } from "./endings.ts";
import type { JobChanges, LostAttempt } from "./job-changes.ts";
import { limitsOf } from "./planner.ts";
import { decideRetry, type RetryDecision } from "./retries.ts";
import type { QueueStore, QueueTransaction } from "./store.ts";
import type { JobRow } from "./tables.ts";

type Standing = Pick<
  JobRow,
  "stop_requested_at" | "restart_from" | "preempted_by" | "num_preemptions" | "resume_from"
>;

export class LostAttempts {
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

  /** What becomes of the job when this attempt at it is lost; read before the transaction that ends it. */
  async retryOf(jobId: number, attempt: number, exit: AttemptExit): Promise<RetryDecision> {
    const job = await this.#store.job(jobId);
    if (job === undefined || job.current_attempt !== attempt || job.limits === null) return null;
    const attempts = (await this.#store.attempts(jobId)).filter(
      (one) =>
        // One that gave way, or never began, was not lost.
        one.attempt > job.attempts_before &&
        one.attempt <= attempt &&
        one.preempted === 0 &&
        !wasPutBack(one.exit),
    );
    const lost = {
      limits: limitsOf(job),
      numAttempts: attempts.length,
      lastSteps: attempts.map(({ last_step: step }) => step),
      isPaused: (await this.#commands.pauseOf(jobId, attempt)) !== undefined,
    };
    return decideRetry(lost, exit, this.#now());
  }

  /** What the supervisor could not tell any more. Final for the job, unless its worker had told the ending. */
  async end(lost: LostAttempt): Promise<void> {
    const { jobId, attempt, exit } = lost;
    const retry = await this.retryOf(jobId, attempt, exit);
    await this.#changes.change(async (transaction) => {
      if (!(await this.#store.endAttempt(transaction, jobId, attempt, exit, this.#now())))
        return [];
      const job = await transaction
        .selectFrom("jobs")
        .select(["stop_requested_at", "restart_from", "resume_from"])
        .select(["preempted_by", "num_preemptions"])
        .where("id", "=", jobId)
        .executeTakeFirstOrThrow();
      const again = this.#goesOn(job, attempt, retry);
      if (again === null) await this.#close(transaction, lost, job, retry);
      else await this.#store.updateJob(transaction, jobId, ACTIVE_STATES, again);
      await this.#commands.expire(transaction, jobId);
      return [jobId];
    });
  }

  /** How the job waits for its next attempt; null where there is none. */
  #goesOn(job: Standing, attempt: number, retry: RetryDecision): Partial<JobRow> | null {
    if (job.stop_requested_at !== null) return null;
    const now = this.#now();
    const waits = {
      ...{ state: "queued" as const, queued_at: now, restart_from: null, kill_at: null },
      ended_at: null,
    };
    if (job.preempted_by !== null)
      return {
        ...waits,
        resume_from: job.restart_from ?? job.resume_from,
        // From the newest checkpoint, where its worker told none.
        not_before: job.restart_from === null ? now : null,
        num_preemptions: job.num_preemptions + 1,
      };
    if (job.restart_from !== null)
      return {
        ...{ ...waits, resume_from: job.restart_from, reason: null, not_before: null },
        // Kept until it starts: nobody else gets what it held.
        restart_from: job.restart_from,
        attempts_before: attempt,
      };
    if (retry?.kind !== "again") return null;
    return { ...waits, reason: retry.reason, not_before: retry.notBefore };
  }

  async #close(
    transaction: QueueTransaction,
    lost: LostAttempt,
    job: Standing,
    retry: RetryDecision,
  ): Promise<void> {
    const told = endingOf(lost.exit);
    const ending =
      job.stop_requested_at === null
        ? { ...told, reason: retry?.reason ?? told.reason }
        : { state: "stopped" as const, reason: "Stopped as asked." };
    const ended = await this.#store.updateJob(transaction, lost.jobId, ACTIVE_STATES, {
      ...ending,
      ended_at: this.#now(),
      kill_at: null,
      preempted_by: null,
    });
    if (ended && ending.state === "failed") await this.#changes.attemptLost(transaction, lost);
  }

  /** The server died while it started this attempt, and nothing came of it: the job waits again. */
  async putBack(jobId: number, attempt: number, exit: AttemptExit): Promise<void> {
    await this.#changes.change(async (transaction) => {
      await this.#store.endAttempt(transaction, jobId, attempt, exit, this.#now());
      await this.#store.updateJob(transaction, jobId, ["starting"], { state: "queued" });
      return [jobId];
    });
  }
}
