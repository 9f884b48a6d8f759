// The embedded database: one file, one writer in a thread of its own, one read connection here.
import { Kysely } from "kysely";
import type { AnyTables, Database } from "./database.ts";
import { translateSqliteFailure } from "./failures.ts";
import { SqliteConnection } from "./sqlite-connection.ts";
import { SqliteThreadDialect } from "./sqlite-dialect.ts";
import { SqliteWriterProxy } from "./sqlite-writer-proxy.ts";

export interface SqliteOptions {
  readonly path: string;
  /** The bundled `db-thread.js`. */
  readonly threadFile: URL;
  readonly failAfterCommitOf?: number | null;
  /** Told when the write thread dies: no write can succeed any more. */
  readonly onWriterDeath: (error: Error) => void;
}

export async function openSqlite(options: SqliteOptions): Promise<Database> {
  const { path, threadFile, failAfterCommitOf = null, onWriterDeath } = options;
  const writer = new SqliteWriterProxy(threadFile, { path, failAfterCommitOf }, onWriterDeath);
  // The file and its write-ahead log must exist before a read-only connection can open them.
  await writer.execute("select 1", []);
  const reader = SqliteConnection.openReader(path);
  const kysely = new Kysely<AnyTables>({ dialect: new SqliteThreadDialect(reader, writer) });
  return {
    engine: "sqlite",
    kysely,
    transaction: (work) => kysely.transaction().execute(work),
    ingest: (batch) => writer.ingest(batch),
    call: (call) => writer.call(call),
    async read<Row>(sql: string, parameters: readonly unknown[] = []) {
      try {
        return reader.all<Row>(sql, parameters);
      } catch (error) {
        throw translateSqliteFailure(error);
      }
    },
    async close() {
      reader.close();
      await writer.close();
    },
  };
}
