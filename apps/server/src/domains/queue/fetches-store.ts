// All SQL of files that workers on other machines have saved and that are still to come home.
import type { Kysely } from "kysely";
import type { Database, Statement } from "../../platform/db/database.ts";
import type { StatementMaker } from "../../platform/db/statement.ts";
import type { BatchContext } from "../../platform/sink.ts";
import type { QueueTransaction } from "./store.ts";
import type { AttemptRow, JobFetchRow, QueueTables } from "./tables.ts";

export type PendingFetch = JobFetchRow & {
  readonly executor_ref: string | null;
  /** Of its attempt. */
  readonly state: AttemptRow["state"];
};

export class FetchesStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #read(): Kysely<QueueTables> {
    return this.#database.kysely.withTables<QueueTables>();
  }

  /** The oldest first, with what is known of their attempts. */
  pending(jobId?: number): Promise<PendingFetch[]> {
    const all = this.#read
      .selectFrom("job_fetches")
      .innerJoin("attempts", (join) =>
        join
          .onRef("attempts.job_id", "=", "job_fetches.job_id")
          .onRef("attempts.attempt", "=", "job_fetches.attempt"),
      )
      .selectAll("job_fetches")
      .select(["attempts.executor_ref", "attempts.state"])
      .orderBy("job_fetches.told_at")
      .orderBy("job_fetches.seq");
    return (jobId === undefined ? all : all.where("job_fetches.job_id", "=", jobId)).execute();
  }

  /** Unless the same path was told anew meanwhile: that is another content. @returns whether it was removed */
  async remove(transaction: QueueTransaction, row: JobFetchRow): Promise<boolean> {
    const result = await transaction
      .deleteFrom("job_fetches")
      .where("job_id", "=", row.job_id)
      .where("path", "=", row.path)
      .where("attempt", "=", row.attempt)
      .where("seq", "=", row.seq)
      .executeTakeFirst();
    return Number(result.numDeletedRows) === 1;
  }
}

/** For ingest batches: a file that a worker of ours told of. Own scripts send theirs themselves. */
export function fetchLater(
  statement: StatementMaker,
  { jobId, attempt, seq, receivedAt }: BatchContext,
  file: Pick<JobFetchRow, "path" | "kind" | "sha256">,
): Statement {
  return statement(
    `INSERT INTO job_fetches (job_id, path, kind, sha256, attempt, seq, told_at)
     SELECT id, CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS bigint),
       CAST(? AS bigint), CAST(? AS double precision)
     FROM jobs WHERE id = ? AND kind <> 'external'
     ON CONFLICT (job_id, path) DO UPDATE SET kind = excluded.kind, sha256 = excluded.sha256,
       attempt = excluded.attempt, seq = excluded.seq, told_at = excluded.told_at`,
    [file.path, file.kind, file.sha256, attempt, seq, receivedAt, jobId],
  );
}

export function fetchNoMore(statement: StatementMaker, jobId: number, path: string): Statement {
  return statement(`DELETE FROM job_fetches WHERE job_id = ? AND path = ?`, [jobId, path]);
}
