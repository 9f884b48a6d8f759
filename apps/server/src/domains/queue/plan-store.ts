// What the plan reads of jobs and attempts: who holds a part of the machine, who has lately, how long trainings took.
import type { Kysely } from "kysely";
import type { Database } from "../../platform/db/database.ts";
import type { QueueTables } from "./tables.ts";

export class PlanStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #read(): Kysely<QueueTables> {
    return this.#database.kysely.withTables<QueueTables>();
  }

  /** Trainings that hold a part of the machine: whose attempt's processes have not ended. */
  openTrainings() {
    return this.#read
      .selectFrom("attempts")
      .innerJoin("jobs", "jobs.id", "attempts.job_id")
      .select(["attempts.job_id", "attempts.started_at", "attempts.expected_end"])
      .select(["attempts.yield_refused", "attempts.run_ended"])
      .select(["jobs.owner_id", "jobs.granted", "jobs.limits", "jobs.wish", "jobs.work"])
      .select(["jobs.project_id", "jobs.state", "jobs.priority", "jobs.stop_requested_at"])
      .select(["jobs.restart_from", "jobs.preempted_by", "jobs.num_preemptions"])
      .where("attempts.state", "<>", "ended")
      .where("jobs.kind", "=", "train")
      .execute();
  }

  /** By id; those that are gone are left out. */
  async projectsOf(jobIds: readonly number[]): Promise<Map<number, number>> {
    if (jobIds.length === 0) return new Map();
    const rows = await this.#read
      .selectFrom("jobs")
      .select(["id", "project_id"])
      .where("id", "in", [...jobIds])
      .execute();
    return new Map(rows.map(({ id, project_id: projectId }) => [id, projectId]));
  }

  /** The trainings that finished last, with the seconds that all their attempts took together. */
  async finishedTrainings(since: number, atMost: number) {
    const rows = await this.#read
      .selectFrom("jobs")
      .innerJoin("attempts", "attempts.job_id", "jobs.id")
      .select(["jobs.id", "jobs.project_id", "jobs.work", "jobs.granted"])
      .select(({ fn, eb }) =>
        fn.sum<number>(eb("attempts.ended_at", "-", eb.ref("attempts.started_at"))).as("seconds"),
      )
      .where("jobs.kind", "=", "train")
      .where("jobs.state", "=", "finished")
      .where("jobs.ended_at", ">", since)
      .where("attempts.ended_at", "is not", null)
      .groupBy(["jobs.id", "jobs.project_id", "jobs.work", "jobs.granted"])
      .orderBy("jobs.id", "desc")
      .limit(atMost)
      .execute();
    return rows.map((row) => ({ ...row, seconds: Number(row.seconds) }));
  }

  /** The newest attempts of these jobs: how long they would still have taken when they ended, null where none told. */
  lastAttempts(jobIds: readonly number[]) {
    return this.#read
      .selectFrom("attempts")
      .innerJoin("jobs", (join) =>
        join
          .onRef("jobs.id", "=", "attempts.job_id")
          .onRef("jobs.current_attempt", "=", "attempts.attempt"),
      )
      .select(["attempts.job_id", "attempts.expected_end", "attempts.ended_at"])
      .where("attempts.job_id", "in", [...jobIds])
      .execute();
  }

  /** Attempts at trainings that still ran at a time or later, with what they held. */
  attemptsSince(time: number) {
    return this.#read
      .selectFrom("attempts")
      .innerJoin("jobs", "jobs.id", "attempts.job_id")
      .select(["attempts.started_at", "attempts.ended_at", "jobs.owner_id", "jobs.granted"])
      .where("jobs.kind", "=", "train")
      .where((where) =>
        where.or([where("attempts.ended_at", "is", null), where("attempts.ended_at", ">", time)]),
      )
      .execute();
  }
}
