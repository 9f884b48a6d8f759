// What every room brings to the database, by storey: its steps of the schema and its hot work on PostgreSQL.
// The same work for SQLite is collected in db-thread.ts, because it runs there.
import type { Migration, PostgresProcedure } from "./platform/db/database.ts";

export const migrations: readonly Migration[] = [];

export const postgresProcedures: Readonly<Record<string, PostgresProcedure>> = {};
