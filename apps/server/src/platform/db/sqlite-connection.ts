// Opens a SQLite file the way this server always does, and keeps prepared statements by their text.
import { DatabaseSync } from "@photostructure/sqlite";
import type { SqliteWriter } from "./database.ts";

type OpenDatabase = InstanceType<typeof DatabaseSync>;
type PreparedStatement = ReturnType<OpenDatabase["prepare"]>;

// Rooms have a few hundred different statements; lists with `in (…)` make more, and those may be dropped.
const MAX_STATEMENTS = 800;
const BUSY_TIMEOUT_MS = 10_000;
/** 4 MB, negative as KiB: the system caches the file too, and larger ones made neither ingest nor reads cheaper. */
const CACHE_SIZE = -4000;

/** One connection. Synchronous: the writer lives in a thread of its own, the reader only runs short queries. */
export class SqliteConnection implements SqliteWriter {
  readonly #database: OpenDatabase;
  readonly #statements = new Map<string, { statement: PreparedStatement; hasRows: boolean }>();

  private constructor(database: OpenDatabase) {
    this.#database = database;
  }

  static openWriter(path: string): SqliteConnection {
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    database.exec(`
      pragma journal_mode = wal;
      pragma synchronous = full;
      pragma foreign_keys = on;
      pragma cache_size = ${CACHE_SIZE};
      pragma wal_autocheckpoint = 4000;
      pragma journal_size_limit = 67108864;
    `);
    return new SqliteConnection(database);
  }

  static openReader(path: string): SqliteConnection {
    const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    database.exec(`pragma query_only = on; pragma cache_size = ${CACHE_SIZE};`);
    return new SqliteConnection(database);
  }

  get isInTransaction(): boolean {
    return this.#database.isTransaction;
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** Runs any statement; rows where it gives rows, else how many it changed. */
  execute(sql: string, parameters: readonly unknown[]): { rows: unknown[]; changes: number } {
    const { statement, hasRows } = this.#prepare(sql);
    if (hasRows) {
      const rows = statement.all(...parameters.map(bindable));
      return { rows, changes: rows.length };
    }
    return { rows: [], changes: Number(statement.run(...parameters.map(bindable)).changes) };
  }

  run(sql: string, parameters: readonly unknown[] = []) {
    const { changes, lastInsertRowid } = this.#prepare(sql).statement.run(
      ...parameters.map(bindable),
    );
    return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
  }

  all<Row>(sql: string, parameters: readonly unknown[] = []): Row[] {
    return this.#prepare(sql).statement.all(...parameters.map(bindable)) as Row[];
  }

  get<Row>(sql: string, parameters: readonly unknown[] = []): Row | undefined {
    return this.#prepare(sql).statement.get(...parameters.map(bindable)) as Row | undefined;
  }

  /** Puts everything into the database file itself, so that a copy of that one file is whole. */
  closeWriter(): void {
    this.#database.exec("pragma wal_checkpoint(truncate)");
    this.close();
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepare(sql: string) {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    const made = { statement, hasRows: statement.columns().length > 0 };
    if (this.#statements.size >= MAX_STATEMENTS) {
      const oldest = this.#statements.keys().next().value;
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    this.#statements.set(sql, made);
    return made;
  }
}

// The library takes a positive number below its epsilon for the integer 0. As text it is read back exactly by a column
// that holds reals, and by every comparison with one.
function bindable(value: unknown): unknown {
  if (typeof value === "number" && value > 0 && value <= Number.EPSILON) return String(value);
  return value === undefined ? null : value;
}
