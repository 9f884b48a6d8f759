// What every room may ask of the database, on SQLite and PostgreSQL alike. The two engines are beside this file.
import type { Kysely, Transaction } from "kysely";

// Each room names its own tables, as a type alias (an interface does not fit Kysely's constraint), and takes them
// with `database.kysely.withTables<RunsTables>()`. Nothing is named here, so that no room reads another's by accident.
export type AnyTables = Record<never, never>;

/** Compiled SQL: `kysely…compile()` gives one. Placeholders and values fit the engine that compiled it. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** A named piece of hot work that a room wrote for each engine and that runs inside the write transaction. */
export interface ProcedureCall {
  readonly name: string;
  /** Structured-cloneable: on SQLite it crosses into the write thread. */
  readonly payload: unknown;
  /** Buffers inside the payload that may be moved instead of copied. */
  readonly transfer?: ArrayBuffer[];
}

/**
 * One worker batch: everything in it commits or nothing does.
 * Batches that arrive within a few milliseconds share one transaction; each has its own savepoint.
 */
export interface IngestBatch {
  /** Must change exactly one row; otherwise the batch is a repeat (or stale) and is skipped whole. */
  readonly guard: Statement;
  readonly statements: readonly Statement[];
  readonly procedures: readonly ProcedureCall[];
  /**
   * Batches of one lane commit in the order in which they were handed over; the job's id is a good lane.
   * Without one, batches share a lane.
   */
  readonly lane?: number;
}

export type IngestOutcome =
  | { readonly status: "committed"; readonly results: readonly unknown[] }
  | { readonly status: "skipped" };

export interface Database {
  readonly engine: "sqlite" | "postgres";
  /** Reads go to read connections; writes go, one at a time, to the write connection. */
  readonly kysely: Kysely<AnyTables>;
  /** Runs `work` in one write transaction (BEGIN IMMEDIATE on SQLite). No HTTP, file or foreign await inside. */
  transaction<T>(work: (transaction: Transaction<AnyTables>) => Promise<T>): Promise<T>;
  /** Resolves after the commit is durable. Rejects, with nothing stored of this batch, if it failed. */
  ingest(batch: IngestBatch): Promise<IngestOutcome>;
  /** Runs one procedure in a write transaction of its own (sealing, pruning). */
  call(call: ProcedureCall): Promise<unknown>;
  /** Hot reads with hand-written SQL (`?` placeholders on both engines); rows as plain objects, bytes as Uint8Array. */
  read<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** The write connection as a SQLite procedure sees it: synchronous, statements cached by their text. */
export interface SqliteWriter {
  run(sql: string, parameters?: readonly unknown[]): { changes: number; lastInsertRowid: number };
  all<Row>(sql: string, parameters?: readonly unknown[]): Row[];
  get<Row>(sql: string, parameters?: readonly unknown[]): Row | undefined;
}
export type SqliteProcedure = (writer: SqliteWriter, payload: never) => unknown;

/** The same for PostgreSQL: a client inside the transaction; `$1` placeholders. */
export interface PostgresWriter {
  query<Row>(
    sql: string,
    parameters?: readonly unknown[],
  ): Promise<{ rows: Row[]; rowCount: number }>;
}
export type PostgresProcedure = (writer: PostgresWriter, payload: never) => Promise<unknown>;

/** Column types that differ between the engines, for migrations. */
export interface ColumnTypes {
  /** Auto-numbered primary key. */
  readonly identity: string;
  readonly integer: string;
  readonly double: string;
  readonly bytes: string;
  /** Also for JSON. Booleans are integers 0 and 1. */
  readonly text: string;
}

/** One forward-only step of the schema. Rooms list theirs in `migrations.ts`; `app.ts` runs them by storey. */
export interface Migration {
  /** `0001-runs`: sorts within the room; never renamed once released. */
  readonly name: string;
  /** Plain statements, run one by one in a transaction. */
  readonly statements: (types: ColumnTypes, engine: Database["engine"]) => readonly string[];
}
