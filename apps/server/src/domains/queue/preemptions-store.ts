// The SQL of trainings that were asked to give way: asked, waited for, let stay. Decides nothing.
import type { Kysely } from "kysely";
import type { Database } from "../../platform/db/database.ts";
import type { QueueTransaction } from "./store.ts";
import type { JobRow, QueueTables } from "./tables.ts";

export class PreemptionsStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #read(): Kysely<QueueTables> {
    return this.#database.kysely.withTables<QueueTables>();
  }

  /** Notes that a running training gives way. @returns false when it runs no more, or was told something else meanwhile */
  async ask(
    transaction: QueueTransaction,
    job: Pick<JobRow, "id" | "current_attempt">,
    change: Pick<JobRow, "preempted_by" | "kill_at" | "reason">,
  ): Promise<boolean> {
    const result = await transaction
      .updateTable("jobs")
      .set(change)
      .where("id", "=", job.id)
      .where("state", "=", "running")
      .where("current_attempt", "=", job.current_attempt)
      .where("preempted_by", "is", null)
      .where("stop_requested_at", "is", null)
      .where("restart_from", "is", null)
      .executeTakeFirst();
    if (Number(result.numUpdatedRows) === 0) return false;
    await transaction
      .updateTable("attempts")
      .set({ preempted: 1 })
      .where("job_id", "=", job.id)
      .where("attempt", "=", job.current_attempt)
      .execute();
    return true;
  }

  /** Running trainings that were asked to give way, have not answered, and have some of their time left. */
  asked(now: number): Promise<JobRow[]> {
    return this.#read
      .selectFrom("jobs")
      .selectAll()
      .where("state", "=", "running")
      .where("kind", "=", "train")
      .where("preempted_by", "is not", null)
      .where("kill_at", ">", now)
      .where("restart_from", "is", null)
      .where("stop_requested_at", "is", null)
      .orderBy("id")
      .execute();
  }

  /** From then on no signal ends it. @returns false when it has answered or ended, or was told something else meanwhile */
  async letStay(
    transaction: QueueTransaction,
    { id, current_attempt: attempt }: Pick<JobRow, "id" | "current_attempt">,
    now: number,
  ): Promise<boolean> {
    const result = await transaction
      .updateTable("jobs")
      .set({ kill_at: null })
      .where("id", "=", id)
      .where("state", "=", "running")
      .where("current_attempt", "=", attempt)
      .where("preempted_by", "is not", null)
      .where("kill_at", ">", now)
      .where("restart_from", "is", null)
      .where("stop_requested_at", "is", null)
      .where(({ exists, selectFrom }) =>
        exists(
          selectFrom("attempts")
            .select("attempts.attempt")
            .where("attempts.job_id", "=", id)
            .where("attempts.attempt", "=", attempt)
            .where("attempts.run_ended", "=", 0),
        ),
      )
      .executeTakeFirst();
    return Number(result.numUpdatedRows) === 1;
  }
}
