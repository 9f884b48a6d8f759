// All SQL of jobs, attempts and their files; that of commands is in `commands-store.ts`. Decides nothing.
import type { AttemptExit, JobKind, JobState } from "@spotter/contract";
import { ACTIVE_STATES } from "@spotter/contract";
import type { Kysely, Transaction } from "kysely";
import type { Database } from "../../platform/db/database.ts";
import type { AttemptRow, JobRow, QueueTables } from "./tables.ts";

/** Ends after which a worker may still live somewhere. */
const OUT_OF_SIGHT: ReadonlySet<string> = new Set(["machine-lost", "start-failed"]);

export type QueueTransaction = Transaction<QueueTables>;

export interface NewJob {
  kind: JobKind;
  project_id: number;
  owner_id: number | null;
  name: string;
  state: JobState;
  created_at: number;
  started_at: number | null;
  reason: string | null;
  work: string | null;
  priority: number;
  owner_name: string | null;
  wish: string | null;
  limits: string | null;
}

/** Each series of jobs counts for itself, see the migration. */
const SERIES: Readonly<Record<JobKind, "run" | "light">> = {
  ...{ train: "run", external: "run", predict: "light", preflight: "light" },
};

export class QueueStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #read(): Kysely<QueueTables> {
    return this.#database.kysely.withTables<QueueTables>();
  }

  transaction<T>(work: (transaction: QueueTransaction) => Promise<T>): Promise<T> {
    return this.#database.transaction((transaction) =>
      work(transaction.withTables<QueueTables>() as QueueTransaction),
    );
  }

  async insertJob(transaction: QueueTransaction, job: NewJob): Promise<number> {
    const { last } = await transaction
      .updateTable("job_numbers")
      .set(({ eb }) => ({ last: eb("last", "+", 1) }))
      .where("series", "=", SERIES[job.kind])
      .returning("last")
      .executeTakeFirstOrThrow();
    const id = Number(last);
    await transaction
      .insertInto("jobs")
      .values({ id, ...job })
      .execute();
    return id;
  }

  job(id: number): Promise<JobRow | undefined> {
    return this.#read.selectFrom("jobs").selectAll().where("id", "=", id).executeTakeFirst();
  }

  jobsInStates(states: readonly JobState[]): Promise<JobRow[]> {
    return this.#read
      .selectFrom("jobs")
      .selectAll()
      .where("state", "in", [...states])
      .where("kind", "<>", "external")
      .orderBy("priority", "desc")
      .orderBy("id")
      .execute();
  }

  activeJobs(): Promise<JobRow[]> {
    return this.jobsInStates(ACTIVE_STATES);
  }

  /** Jobs of these kinds whose processes all ended within a time; their folders are nobody's any more. */
  async endedBetween(kinds: readonly JobKind[], after: number, before: number): Promise<number[]> {
    const rows = await this.#read
      .selectFrom("jobs")
      .select("id")
      .where("kind", "in", [...kinds])
      .where("ended_at", ">", after)
      .where("ended_at", "<=", before)
      .where((where) =>
        where.not(
          where.exists(
            where
              .selectFrom("attempts")
              .select("attempts.attempt")
              .whereRef("attempts.job_id", "=", "jobs.id")
              .where("attempts.state", "<>", "ended"),
          ),
        ),
      )
      .execute();
    return rows.map(({ id }) => id);
  }

  nextWaiting(kinds: readonly JobKind[]): Promise<JobRow | undefined> {
    return this.#read
      .selectFrom("jobs")
      .selectAll()
      .where("state", "=", "queued")
      .where("kind", "in", [...kinds])
      .orderBy("priority", "desc")
      .orderBy("id")
      .executeTakeFirst();
  }

  /** @returns ids of waiting jobs whose reason changed */
  async explainWaiting(
    transaction: QueueTransaction,
    kinds: readonly JobKind[],
    reason: string,
  ): Promise<number[]> {
    const rows = await transaction
      .updateTable("jobs")
      .set({ reason })
      .where("state", "=", "queued")
      .where("kind", "in", [...kinds])
      .where((where) => where.or([where("reason", "is", null), where("reason", "<>", reason)]))
      .returning("id")
      .execute();
    return rows.map((row) => row.id);
  }

  queuedTrainings(): Promise<JobRow[]> {
    return this.#read
      .selectFrom("jobs")
      .selectAll()
      .where("state", "=", "queued")
      .where("kind", "=", "train")
      .orderBy("id")
      .execute();
  }

  /** The same, which nobody else changes until the transaction ends. */
  lockQueuedTrainings(transaction: QueueTransaction): Promise<JobRow[]> {
    const query = transaction
      .selectFrom("jobs")
      .selectAll()
      .where("state", "=", "queued")
      .where("kind", "=", "train")
      .orderBy("id");
    // SQLite has one writer at a time anyway.
    return (this.#database.engine === "postgres" ? query.forUpdate() : query).execute();
  }

  /** @returns whether the job waits and this reason is new */
  async explain(transaction: QueueTransaction, id: number, reason: string): Promise<boolean> {
    const result = await transaction
      .updateTable("jobs")
      .set({ reason })
      .where("id", "=", id)
      .where("state", "=", "queued")
      .where((where) => where.or([where("reason", "is", null), where("reason", "<>", reason)]))
      .executeTakeFirst();
    return Number(result.numUpdatedRows) === 1;
  }

  /** @returns whether the job was in one of the states and has changed */
  async updateJob(
    transaction: QueueTransaction,
    id: number,
    from: readonly JobState[],
    change: Partial<Omit<JobRow, "id">>,
  ): Promise<boolean> {
    const result = await transaction
      .updateTable("jobs")
      .set(change)
      .where("id", "=", id)
      .where("state", "in", [...from])
      .executeTakeFirst();
    return Number(result.numUpdatedRows) === 1;
  }

  async rename(transaction: QueueTransaction, id: number, name: string): Promise<void> {
    await transaction.updateTable("jobs").set({ name }).where("id", "=", id).execute();
  }

  attempts(jobId: number): Promise<AttemptRow[]> {
    return this.#read
      .selectFrom("attempts")
      .selectAll()
      .where("job_id", "=", jobId)
      .orderBy("attempt")
      .execute();
  }

  attempt(jobId: number, attempt: number): Promise<AttemptRow | undefined> {
    return this.#read
      .selectFrom("attempts")
      .selectAll()
      .where("job_id", "=", jobId)
      .where("attempt", "=", attempt)
      .executeTakeFirst();
  }

  attemptByToken(tokenHash: string) {
    return this.#read
      .selectFrom("attempts")
      .innerJoin("jobs", "jobs.id", "attempts.job_id")
      .select([
        "attempts.job_id",
        "attempts.attempt",
        "attempts.closed_at",
        "jobs.project_id",
        "jobs.kind",
      ])
      .where("attempts.token_hash", "=", tokenHash)
      .executeTakeFirst();
  }

  /** Attempts that our executors answer for: not ended yet, of jobs that we start ourselves. */
  openAttempts() {
    return this.#read
      .selectFrom("attempts")
      .innerJoin("jobs", "jobs.id", "attempts.job_id")
      .selectAll("attempts")
      .select(["jobs.kind", "jobs.name", "jobs.state as job_state", "jobs.kill_at"])
      .where("attempts.state", "<>", "ended")
      .where("jobs.kind", "<>", "external")
      .execute();
  }

  async insertAttempt(
    transaction: QueueTransaction,
    row: Pick<AttemptRow, "job_id" | "attempt" | "state" | "token_hash" | "started_at">,
  ): Promise<void> {
    await transaction
      .insertInto("attempts")
      .values({
        ...row,
        ended_at: null,
        last_event_at: null,
        first_step: null,
        heartbeat_at: null,
        exit: null,
        closed_at: null,
      })
      .execute();
  }

  async updateAttempt(
    transaction: QueueTransaction,
    jobId: number,
    attempt: number,
    change: Partial<Omit<AttemptRow, "job_id" | "attempt">>,
  ): Promise<void> {
    await transaction
      .updateTable("attempts")
      .set(change)
      .where("job_id", "=", jobId)
      .where("attempt", "=", attempt)
      .execute();
  }

  /** @returns false when it had ended before */
  async endAttempt(
    transaction: QueueTransaction,
    jobId: number,
    attempt: number,
    exit: AttemptExit,
    endedAt: number,
  ): Promise<boolean> {
    // Out of sight is not dead: a worker that nobody could end any more hears by this that nothing is taken from it.
    const closed = OUT_OF_SIGHT.has(exit.reason ?? "") ? { closed_at: endedAt } : {};
    const result = await transaction
      .updateTable("attempts")
      .set({ state: "ended", ended_at: endedAt, exit: JSON.stringify(exit), ...closed })
      .where("job_id", "=", jobId)
      .where("attempt", "=", attempt)
      .where("state", "<>", "ended")
      .executeTakeFirst();
    return Number(result.numUpdatedRows) === 1;
  }

  async insertFile(jobId: number, sha256: string, size: number, createdAt: number): Promise<void> {
    await this.transaction(async (transaction) => {
      await transaction
        .insertInto("job_files")
        .values({ job_id: jobId, sha256, size, created_at: createdAt })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    });
  }

  /** Which of these contents some job still holds. */
  async referenced(sha256s: readonly string[]): Promise<Set<string>> {
    if (sha256s.length === 0) return new Set();
    const rows = await this.#read
      .selectFrom("job_files")
      .select("sha256")
      .distinct()
      .where("sha256", "in", [...sha256s])
      .execute();
    return new Set(rows.map(({ sha256 }) => sha256));
  }
}
