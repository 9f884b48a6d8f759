// Kysely on our SQLite: reads on the read connection, writes and transactions through the write thread.
// Kysely's stock dialect fails on this driver and knows one connection only.
import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { translateSqliteFailure } from "./failures.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";
import type { SqliteWriterProxy } from "./sqlite-writer-proxy.ts";

export class SqliteThreadDialect implements Dialect {
  readonly #reader: SqliteConnection;
  readonly #writer: SqliteWriterProxy;

  constructor(reader: SqliteConnection, writer: SqliteWriterProxy) {
    this.#reader = reader;
    this.#writer = writer;
  }

  createDriver(): Driver {
    return new SqliteThreadDriver(this.#reader, this.#writer);
  }

  createAdapter(): SqliteAdapter {
    return new SqliteAdapter();
  }

  createQueryCompiler(): QueryCompiler {
    return new LockFreeQueryCompiler();
  }

  // biome-ignore lint/suspicious/noExplicitAny: the interface's own type
  createIntrospector(database: Kysely<any>): DatabaseIntrospector {
    return new SqliteIntrospector(database);
  }
}

// `for update skip locked` is needed on PostgreSQL; here a write transaction locks everything already.
class LockFreeQueryCompiler extends SqliteQueryCompiler {
  protected override visitSelectModifier(
    node: Parameters<SqliteQueryCompiler["visitSelectModifier"]>[0],
  ): void {
    const isLock = /^(For|NoWait|SkipLocked)/.test(node.modifier ?? "");
    if (!isLock) super.visitSelectModifier(node);
  }
}

class SqliteThreadDriver implements Driver {
  readonly #reader: SqliteConnection;
  readonly #writer: SqliteWriterProxy;

  constructor(reader: SqliteConnection, writer: SqliteWriterProxy) {
    this.#reader = reader;
    this.#writer = writer;
  }

  async init(): Promise<void> {
    // Both connections are open already.
  }

  async acquireConnection(): Promise<RoutedConnection> {
    return new RoutedConnection(this.#reader, this.#writer);
  }

  async beginTransaction(connection: RoutedConnection): Promise<void> {
    connection.transaction = await this.#writer.begin();
  }

  commitTransaction(connection: RoutedConnection): Promise<void> {
    return this.#end(connection, true);
  }

  rollbackTransaction(connection: RoutedConnection): Promise<void> {
    return this.#end(connection, false);
  }

  async releaseConnection(): Promise<void> {
    // A connection here is only the memory of an open transaction.
  }

  async destroy(): Promise<void> {
    // `Database.close` ends both connections in order.
  }

  async #end(connection: RoutedConnection, isCommit: boolean): Promise<void> {
    const { transaction } = connection;
    connection.transaction = undefined;
    if (transaction !== undefined) await this.#writer.end(transaction, isCommit);
  }
}

class RoutedConnection implements DatabaseConnection {
  readonly #reader: SqliteConnection;
  readonly #writer: SqliteWriterProxy;
  transaction: number | undefined;

  constructor(reader: SqliteConnection, writer: SqliteWriterProxy) {
    this.#reader = reader;
    this.#writer = writer;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.transaction === undefined && isRead(query)) {
      try {
        return { rows: this.#reader.all<R>(query.sql, query.parameters) };
      } catch (error) {
        throw translateSqliteFailure(error);
      }
    }
    const { rows, changes } = await this.#writer.execute(
      query.sql,
      query.parameters,
      this.transaction,
    );
    return { rows: rows as R[], numAffectedRows: BigInt(changes) };
  }

  // biome-ignore lint/correctness/useYield: it only says that it cannot
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("Read by pages; the SQLite connection does not stream.");
  }
}

// The read connection is opened read-only, so a statement that is mistaken for a read fails instead of writing.
function isRead(query: CompiledQuery): boolean {
  if (query.query.kind === "SelectQueryNode")
    return query.query.with === undefined || !/\b(insert|update|delete)\b/i.test(query.sql);
  if (query.query.kind !== "RawNode") return false;
  return (
    /^\s*(select|with|explain)\b/i.test(query.sql) &&
    !/\b(insert|update|delete|replace)\b/i.test(query.sql)
  );
}
