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
}

/** A folder and, on PostgreSQL, a schema of its own; removed after the test unless it failed. */
export async function makeTestPlace(): Promise<TestPlace> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "spotter-test-"));
  let hasFailed = false;
  onTestFailed(() => {
    hasFailed = true;
    process.stderr.write(`The failed test's data is kept in ${folder} (${testEngine})\n`);
  });
  const schema = `test_${randomBytes(8).toString("hex")}`;
  const databaseUrl = testEngine === "postgres" ? await createSchema(schema) : undefined;
  onTestFinished(async () => {
    if (hasFailed) return;
    rmSync(folder, { recursive: true, force: true });
    if (databaseUrl !== undefined) await onServer(`drop schema ${schema} cascade`);
  });
  return { folder, databaseUrl };
}

/** Opens the place's database; closed after the test. */
export async function openTestDatabase(
  place: TestPlace,
  options: { migrations?: readonly Migration[]; failAfterCommitOf?: number } = {},
): Promise<Database> {
  const { migrations = allMigrations, failAfterCommitOf } = options;
  const database = await open(place, failAfterCommitOf);
  let isClosed = false;
  const close = database.close.bind(database);
  database.close = async () => {
    if (!isClosed) {
      isClosed = true;
      await close();
    }
  };
  onTestFinished(() => database.close());
  const backupFolder = path.join(place.folder, "backup");
  await migrate({ database, migrations, clock: systemClock, backupFolder });
  return database;
}

/** The usual case in one line. */
export async function freshTestDatabase(migrations?: readonly Migration[]): Promise<Database> {
  return openTestDatabase(await makeTestPlace(), migrations === undefined ? {} : { migrations });
}

function open(place: TestPlace, failAfterCommitOf: number | undefined): Promise<Database> {
  if (place.databaseUrl !== undefined)
    return openPostgres({
      url: place.databaseUrl,
      procedures: postgresProcedures,
      failAfterCommitOf,
      onConnectionLost: () => undefined,
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
  const option = `options=${encodeURIComponent(`-c search_path=${schema}`)}`;
  return `${url}${url.includes("?") ? "&" : "?"}${option}`;
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
