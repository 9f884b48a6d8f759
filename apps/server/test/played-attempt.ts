// An attempt whose worker is played by the test: its row as the queue makes it, and what hashes to its token.
import { createHash } from "node:crypto";
import { sql, type Transaction } from "kysely";
import { startTimeOf } from "../src/domains/queue/tools/process-identity.ts";

/**
 * Puts the row in the place of whatever attempt of this number there is, and makes it the job's.
 * The test's own process stands in for the supervisor: it lives, so the monitor leaves the attempt alone.
 * @returns the token of its worker
 */
export async function openPlayedAttempt(
  // biome-ignore lint/suspicious/noExplicitAny: whatever tables the caller's database knows
  transaction: Transaction<any>,
  id: number,
  attempt: number,
): Promise<string> {
  const token = `spw_${id}_${attempt}`;
  const hash = createHash("sha256").update(token).digest("base64url");
  const supervisor = `${process.pid}:${await startTimeOf(process.pid)}`;
  for (const statement of [
    sql`delete from attempts where job_id = ${id} and attempt = ${attempt}`,
    sql`insert into attempts (job_id, attempt, state, token_hash, started_at, executor_ref)
      values (${id}, ${attempt}, 'starting', ${hash}, 2e9, ${supervisor})`,
    sql`update jobs set kind = 'train', state = 'starting', current_attempt = ${attempt}
      where id = ${id}`,
  ])
    await statement.execute(transaction);
  return token;
}
