// All SQL of commands to workers. Decides nothing.
import { ACTIVE_STATES, type CommandAction, type JobState } from "@spotter/contract";
import type { Kysely } from "kysely";
import type { Database } from "../../platform/db/database.ts";
import type { QueueTransaction } from "./store.ts";
import type { CommandWish, JobCommandRow, JobRow, QueueTables, Restart } from "./tables.ts";

interface NewCommand {
  job_id: number;
  attempt: number;
  action: CommandAction;
  created_at: number;
  created_by: number | null;
  created_by_name: string | null;
  wish: CommandWish;
  restart: Restart | null;
}

export class CommandsStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #read(): Kysely<QueueTables> {
    return this.#database.kysely.withTables<QueueTables>();
  }

  async insert(transaction: QueueTransaction, command: NewCommand): Promise<JobCommandRow> {
    const { wish, restart, ...row } = command;
    const reverted = restart === null ? null : await this.#revertedWith(transaction, command);
    return transaction
      .insertInto("job_commands")
      .values({
        ...row,
        ...{ state: "sent" as const, acked_at: null, message: null, step: null, change: null },
        wish: JSON.stringify(wish),
        restart_from: restart?.checkpoint ?? null,
        reverted: reverted === null ? null : JSON.stringify(reverted),
      })
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  /** What a `revert` takes back: all that was known when it was decided, and every `set` that came in since. */
  async #revertedWith(
    transaction: QueueTransaction,
    { job_id, wish, restart }: Pick<NewCommand, "job_id" | "wish" | "restart">,
  ): Promise<number[]> {
    const known = restart?.reverted ?? [];
    const { change_id: first } = wish;
    if (first === undefined) return [...known];
    const rows = await transaction
      .selectFrom("job_commands")
      .select("id")
      .where("job_id", "=", job_id)
      .where("action", "=", "set")
      .where("id", ">=", first)
      .execute();
    return [...new Set([...known, ...rows.map(({ id }) => id)])].sort((a, b) => a - b);
  }

  /**
   * Until the transaction ends nobody else gives this job a command.
   * @returns false when it is not at this attempt any more, or in none of these states
   */
  async hold(
    transaction: QueueTransaction,
    { id, current_attempt }: Pick<JobRow, "id" | "current_attempt">,
    states: readonly JobState[],
  ): Promise<boolean> {
    const row = await transaction
      .selectFrom("jobs")
      .select(["state", "current_attempt"])
      .where("id", "=", id)
      .forUpdate()
      .executeTakeFirst();
    return row?.current_attempt === current_attempt && states.includes(row.state);
  }

  /** Of a command that needs no worker. */
  complete(transaction: QueueTransaction, id: number, at: number): Promise<JobCommandRow> {
    return transaction
      .updateTable("job_commands")
      .set({ state: "done", acked_at: at })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  ofJob(jobId: number): Promise<JobCommandRow[]> {
    return this.ofJobs([jobId]);
  }

  ofJobs(jobIds: readonly number[]): Promise<JobCommandRow[]> {
    return this.#read
      .selectFrom("job_commands")
      .selectAll()
      .where("job_id", "in", [...jobIds])
      .orderBy("id")
      .execute();
  }

  /** Jobs that went back to a checkpoint and have begun no attempt since: its path, and how many attempts they had. */
  async wentBack(
    jobIds: readonly number[],
  ): Promise<{ jobId: number; attempt: number; checkpoint: string }[]> {
    if (jobIds.length === 0) return [];
    const rows = await this.#read
      .selectFrom("job_commands")
      .innerJoin("jobs", "jobs.id", "job_commands.job_id")
      .select(["jobs.id", "jobs.current_attempt", "job_commands.restart_from"])
      .where("jobs.id", "in", [...jobIds])
      .where("jobs.state", "not in", [...ACTIVE_STATES])
      .where("job_commands.action", "=", "revert")
      .where("job_commands.state", "=", "done")
      .whereRef("job_commands.attempt", "=", "jobs.current_attempt")
      .orderBy("job_commands.id")
      .execute();
    // Of several the newest counts.
    const byJob = new Map(
      rows.flatMap(({ id, current_attempt: attempt, restart_from: checkpoint }) =>
        checkpoint === null ? [] : [[id, { jobId: id, attempt, checkpoint }] as const],
      ),
    );
    return [...byJob.values()];
  }

  /**
   * The pause that the attempt is under, or was when it ended; one that its worker did not come to carry out any more is
   * asked for still. Undefined where there is none, or the last word was to go on.
   */
  async pauseOf(
    jobId: number,
    attempt: number,
    among: Kysely<QueueTables> = this.#read,
  ): Promise<JobCommandRow | undefined> {
    const last = await among
      .selectFrom("job_commands")
      .selectAll()
      .where("job_id", "=", jobId)
      .where("attempt", "=", attempt)
      .where("action", "in", ["pause", "resume"])
      .where("state", "<>", "refused")
      .orderBy("id", "desc")
      .limit(1)
      .executeTakeFirst();
    return last?.action === "pause" ? last : undefined;
  }

  one(id: number): Promise<JobCommandRow | undefined> {
    return this.#read
      .selectFrom("job_commands")
      .selectAll()
      .where("id", "=", id)
      .executeTakeFirst();
  }

  toSend(jobId: number, attempt: number, after: number) {
    return this.#read
      .selectFrom("job_commands")
      .select(["id", "action", "created_at", "wish", "restart_from"])
      .where("job_id", "=", jobId)
      .where("attempt", "=", attempt)
      .where("id", ">", after)
      .where("state", "=", "sent")
      .orderBy("id")
      .execute();
  }

  /** Commands that nobody will carry out any more. @returns their ids */
  async expire(transaction: QueueTransaction, jobId: number): Promise<number[]> {
    const rows = await transaction
      .updateTable("job_commands")
      .set({ state: "expired" })
      .where("job_id", "=", jobId)
      .where("state", "=", "sent")
      .returning("id")
      .execute();
    return rows.map((row) => row.id);
  }
}
