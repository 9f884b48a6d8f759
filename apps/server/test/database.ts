// A fresh, migrated database for one test, on the engine that the tier says; kept when the test fails.

import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import pg from "pg";
import { inject, onTestFailed, onTestFinished } from "vitest";
import { systemClock } from "../src/platform/clock.ts";
import type { Database, Migration } from "../src/platform/db/database.ts";
import { migrate } from "../src/platform/db/migrate.ts";
import { openPostgres } from "../src/platform/db/postgres.ts";
import { openSqlite } from "../src/platform/db/sqlite.ts";
import { migrations as allMigrations, postgresProcedures } from "../src/rooms.ts";

export const testEngine: Database["engine"] =
  process.env.SPOTTER_TEST_DATABASE === "postgres" ? "postgres" : "sqlite";

/** Where a test's database is, so that it can be opened again (restarts) or by a server process. */
export interface TestPlace {
  readonly folder: string;
  /** Undefined on SQLite. */
  readonly databaseUrl: string | undefined;
  readonly schema: string;
}

/** A folder and, on PostgreSQL, a schema of its own; removed after the test unless it failed. */
export async function makeTestPlace(): Promise<TestPlace> {
  const place = await createTestPlace();
  const failure = watchForFailure();
  onTestFinished(() => removeTestPlace(place, failure));
  return place;
}

/** The same without a test around it, for `beforeAll`. */
export async function createTestPlace(): Promise<TestPlace> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "spotter-test-"));
  const schema = `test_${randomBytes(8).toString("hex")}`;
  const databaseUrl = testEngine === "postgres" ? await createSchema(schema) : undefined;
  return { folder, databaseUrl, schema };
}

/** Removes it, unless the test failed: then it says where it is. */
export async function removeTestPlace(
  place: TestPlace,
  failure: { readonly hasFailed: boolean },
): Promise<void> {
  if (failure.hasFailed) {
    const schema = place.databaseUrl === undefined ? "" : ` and the schema ${place.schema}`;
    process.stderr.write(`The failed test's data is kept in ${place.folder}${schema}.\n`);
    return;
  }
  rmSync(place.folder, { recursive: true, force: true });
  if (place.databaseUrl !== undefined) await onServer(`drop schema ${place.schema} cascade`);
}

/** Knows whether the test that runs now has failed; in a hook, where there is none, it never does. */
export function watchForFailure(): { readonly hasFailed: boolean } {
  const failure = { hasFailed: false };
  try {
    onTestFailed(() => {
      failure.hasFailed = true;
    });
  } catch (error) {
    if (!(error instanceof Error && /inside a test/.test(error.message))) throw error;
  }
  return failure;
}

/** Opens the place's database; closed after the test. */
export async function openTestDatabase(
  place: TestPlace,
  options: { migrations?: readonly Migration[]; failAfterCommitOf?: number } = {},
): Promise<Database> {
  const { migrations = allMigrations, failAfterCommitOf } = options;
  const database = await openPlace(place, failAfterCommitOf);
  let isClosed = false;
  const close = database.close.bind(database);
  database.close = async () => {
    if (!isClosed) {
      isClosed = true;
      await close();
    }
  };
  onTestFinished(() => database.close());
  await migrateTestDatabase(place, database, migrations);
  return database;
}

export async function migrateTestDatabase(
  place: TestPlace,
  database: Database,
  migrations: readonly Migration[] = allMigrations,
): Promise<void> {
  const backupFolder = path.join(place.folder, "backup");
  await migrate({ database, migrations, clock: systemClock, backupFolder });
}

/** The usual case in one line. */
export async function freshTestDatabase(migrations?: readonly Migration[]): Promise<Database> {
  return openTestDatabase(await makeTestPlace(), migrations === undefined ? {} : { migrations });
}

/** Without migrations and without an end: whoever opens it closes it. */
export function openPlace(place: TestPlace, failAfterCommitOf?: number): Promise<Database> {
  if (place.databaseUrl !== undefined)
    return openPostgres({
      url: place.databaseUrl,
      procedures: postgresProcedures,
      failAfterCommitOf,
      onConnectionLost: () => undefined,
      onConnectionBack: () => undefined,
    });
  mkdirSync(place.folder, { recursive: true });
  return openSqlite({
    path: path.join(place.folder, "spotter.db"),
    threadFile: pathToFileURL(inject("dbThreadFile")),
    failAfterCommitOf,
    onWriterDeath: (error) => {
      throw error;
    },
  });
}

function serverUrl(): string {
  const url = process.env.SPOTTER_TEST_DATABASE_URL;
  if (url === undefined)
    throw new Error(
      "SPOTTER_TEST_DATABASE_URL is not set: run the tests by `npm test`, which provides a PostgreSQL.",
    );
  return url;
}

async function createSchema(schema: string): Promise<string> {
  await onServer(`create schema ${schema}`);
  const url = serverUrl();
  // The name tells this test's connections from those of tests beside it.
  const options = `options=${encodeURIComponent(`-c search_path=${schema}`)}&application_name=${schema}`;
  return `${url}${url.includes("?") ? "&" : "?"}${options}`;
}

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl() });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
