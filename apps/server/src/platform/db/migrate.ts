// Brings the schema up to the code's, forward only. An existing SQLite file is copied first; a database that is newer
// than the code is refused.
import { mkdirSync } from "node:fs";
import path from "node:path";
import { sql, type Transaction } from "kysely";
import type { Clock } from "../clock.ts";
import { columnTypes } from "./column-types.ts";
import type { AnyTables, Database, Migration } from "./database.ts";

export interface MigrateOptions {
  readonly database: Database;
  /** By storey, and within a room by name: a migration may refer to tables of those before it. */
  readonly migrations: readonly Migration[];
  readonly clock: Clock;
  /** Where the copy of a SQLite file goes before it is changed. */
  readonly backupFolder: string;
}

export interface MigrateReport {
  readonly applied: readonly string[];
  readonly backup: string | null;
}

type MigrationTables = {
  schema_migrations: { name: string; applied_at: number };
};

// Any number that nobody else on the server uses.
const ADVISORY_LOCK = 7_768_837;

export async function migrate(options: MigrateOptions): Promise<MigrateReport> {
  const { database, migrations } = options;
  assertNamedOnce(migrations);
  await createTable(database);
  const done = await appliedNames(database);
  refuseNewer(done, migrations);
  const missing = migrations.filter(({ name }) => !done.has(name));
  if (missing.length === 0) return { applied: [], backup: null };
  const backup = done.size > 0 && database.engine === "sqlite" ? await copyFile(options) : null;
  const applied: string[] = [];
  for (const migration of missing)
    if (await apply(options, migration)) applied.push(migration.name);
  return { applied, backup };
}

async function createTable(database: Database): Promise<void> {
  const types = columnTypes[database.engine];
  await database.transaction(async (transaction) => {
    await lock(database, transaction);
    await sql
      .raw(
        `create table if not exists schema_migrations (name ${types.text} primary key, applied_at ${types.double} not null)`,
      )
      .execute(transaction);
  });
}

async function appliedNames(database: Database): Promise<Set<string>> {
  const rows = await database.read<{ name: string }>("select name from schema_migrations");
  return new Set(rows.map(({ name }) => name));
}

function refuseNewer(done: ReadonlySet<string>, migrations: readonly Migration[]): void {
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = [...done].filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new Error(
    `The database was made by a newer Spotter: it has the schema steps ${unknown.join(", ")}, which this version does not know. Start the newer version, or restore the copy that it made in the backup folder before it changed the schema.`,
  );
}

/** @returns false when another server was faster */
async function apply({ database, clock }: MigrateOptions, migration: Migration): Promise<boolean> {
  const { name, statements } = migration;
  return database.transaction(async (transaction) => {
    await lock(database, transaction);
    const tables = transaction.withTables<MigrationTables>();
    const done = await tables
      .selectFrom("schema_migrations")
      .select("name")
      .where("name", "=", name)
      .execute();
    if (done.length > 0) return false;
    for (const statement of statements(columnTypes[database.engine], database.engine))
      await sql.raw(statement).execute(transaction);
    await tables
      .insertInto("schema_migrations")
      .values({ name, applied_at: clock.now() })
      .execute();
    return true;
  });
}

// SQLite's BEGIN IMMEDIATE is the lock there.
async function lock(database: Database, transaction: Transaction<AnyTables>): Promise<void> {
  if (database.engine === "postgres")
    await sql`select pg_advisory_xact_lock(${ADVISORY_LOCK})`.execute(transaction);
}

async function copyFile({ database, clock, backupFolder }: MigrateOptions): Promise<string> {
  mkdirSync(backupFolder, { recursive: true });
  const stamp = new Date(clock.now() * 1000).toISOString().replace(/[:.]/g, "-");
  const file = path.join(backupFolder, `before-migration-${stamp}.db`);
  await sql`vacuum into ${file}`.execute(database.kysely);
  return file;
}

function assertNamedOnce(migrations: readonly Migration[]): void {
  const names = new Set<string>();
  for (const { name } of migrations) {
    if (names.has(name)) throw new Error(`Two migrations are named ${name}.`);
    names.add(name);
  }
}
