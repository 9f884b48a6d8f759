// All SQL of forks: where each began, and who is related to whom.
import type { ForkChange, ForkKept, RunFork } from "@spotter/contract";
import { type Kysely, sql, type Transaction } from "kysely";
import type { AnyTables, Database } from "../../platform/db/database.ts";
import type { RunForkRow, RunRow, RunsTables } from "./tables.ts";

/** A family grows by hand; beyond that a picture of it says nothing. */
const MAX_FAMILY = 500;
const MAX_DEPTH = 1_000;

export interface Relative {
  readonly row: RunRow;
  readonly fork: RunFork | null;
}

export class ForksStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #read(): Kysely<RunsTables> {
    return this.#database.kysely.withTables<RunsTables>();
  }

  async insert(transaction: Transaction<AnyTables>, row: RunForkRow): Promise<void> {
    await transaction.withTables<RunsTables>().insertInto("run_forks").values(row).execute();
  }

  async fork(runId: number): Promise<RunFork | null> {
    const row = await this.#read
      .selectFrom("run_forks")
      .selectAll()
      .where("run_id", "=", runId)
      .executeTakeFirst();
    return row === undefined ? null : toRunFork(row);
  }

  async row(runId: number): Promise<RunForkRow | undefined> {
    return this.#read
      .selectFrom("run_forks")
      .selectAll()
      .where("run_id", "=", runId)
      .executeTakeFirst();
  }

  /** Of each of the runs that is a fork: its own origin, then its parent's, … as far as they are still there. */
  async lines(runIds: readonly number[]): Promise<Map<number, RunForkRow[]>> {
    if (runIds.length === 0) return new Map();
    const { rows: found } = await sql<{ id: number }>`
      WITH RECURSIVE line (id, depth) AS (
        SELECT run_id, 0 FROM run_forks WHERE run_id IN (${sql.join(runIds)})
        UNION
        SELECT run_forks.parent_id, line.depth + 1 FROM run_forks
          JOIN line ON run_forks.run_id = line.id WHERE line.depth < ${MAX_DEPTH}
      ) SELECT DISTINCT id FROM line`.execute(this.#read);
    const ids = found.map(({ id }) => Number(id));
    if (ids.length === 0) return new Map();
    const rows = await this.#read
      .selectFrom("run_forks")
      .selectAll()
      .where("run_id", "in", ids)
      .execute();
    const byRun = new Map(rows.map((row) => [row.run_id, row]));
    return new Map(runIds.map((id) => [id, lineFrom(id, byRun)]));
  }

  /** Manifests' SHA-256 of the checkpoints that forks began in. */
  async origins(): Promise<Set<string>> {
    const rows = await this.#read
      .selectFrom("run_forks")
      .select("checkpoint_sha256")
      .distinct()
      .execute();
    return new Set(rows.map(({ checkpoint_sha256: sha256 }) => sha256));
  }

  /** Everybody who descends from the run's oldest ancestor that is still there; parents before their forks. */
  async family(runId: number): Promise<{ relatives: Relative[]; truncated: boolean }> {
    const ancestors = await this.#ancestors(runId);
    const rootId = ancestors.at(-1) ?? runId;
    const found = await this.#descendants(rootId);
    const truncated = found.length > MAX_FAMILY;
    const ids = [...new Set([...found.slice(0, MAX_FAMILY), ...ancestors])].sort((a, b) => a - b);
    const [rows, forks] = await Promise.all([
      this.#read.selectFrom("runs").selectAll().where("id", "in", ids).orderBy("id").execute(),
      this.#read.selectFrom("run_forks").selectAll().where("run_id", "in", ids).execute(),
    ]);
    const byRun = new Map(forks.map((fork) => [fork.run_id, toRunFork(fork)]));
    // A fork is always younger than its parent, so the order of ids is the order of birth.
    return { relatives: rows.map((row) => ({ row, fork: byRun.get(row.id) ?? null })), truncated };
  }

  /** The run itself, its parent, its parent's parent, …, as far as they are still there. */
  async #ancestors(runId: number): Promise<number[]> {
    const { rows } = await sql<{ id: number }>`
      WITH RECURSIVE line (id, parent_id, depth) AS (
        SELECT id, parent_id, 0 FROM runs WHERE id = ${runId}
        UNION ALL
        SELECT runs.id, runs.parent_id, line.depth + 1 FROM runs
          JOIN line ON runs.id = line.parent_id WHERE line.depth < ${MAX_DEPTH}
      ) SELECT id FROM line ORDER BY depth`.execute(this.#read);
    return rows.map(({ id }) => Number(id));
  }

  async #descendants(rootId: number): Promise<number[]> {
    const { rows } = await sql<{ id: number }>`
      WITH RECURSIVE line (id, depth) AS (
        SELECT id, 0 FROM runs WHERE id = ${rootId}
        UNION ALL
        SELECT runs.id, line.depth + 1 FROM runs
          JOIN line ON runs.parent_id = line.id WHERE line.depth < ${MAX_DEPTH}
      ) SELECT id FROM line ORDER BY depth, id LIMIT ${MAX_FAMILY + 1}`.execute(this.#read);
    return rows.map(({ id }) => Number(id));
  }
}

/** A fork is always younger than its parent: the line ends. */
function lineFrom(runId: number, byRun: ReadonlyMap<number, RunForkRow>): RunForkRow[] {
  const own = byRun.get(runId);
  return own === undefined ? [] : [own, ...lineFrom(own.parent_id, byRun)];
}

export function toRunFork(row: RunForkRow): RunFork {
  return {
    parent_id: row.parent_id,
    step: row.step,
    keep: JSON.parse(row.keep) as ForkKept,
    changes: JSON.parse(row.changes) as ForkChange[],
  };
}
