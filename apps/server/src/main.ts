// Starts the server: settings, lock, database, rooms, port; and ends it in order on SIGINT, SIGTERM and SIGHUP.
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type App, buildApp, type Places } from "./app.ts";
import { systemClock } from "./platform/clock.ts";
import type { Database } from "./platform/db/database.ts";
import { migrate } from "./platform/db/migrate.ts";
import { openDatabase } from "./platform/db/open.ts";
import { type HomeLock, HomeTakenError, takeHomeLock } from "./platform/home-lock.ts";
import { removeLeftovers } from "./platform/leftovers.ts";
import { listen } from "./platform/listen.ts";
import { Log } from "./platform/log.ts";
import { readOrMakeSecret } from "./platform/secret-file.ts";
import { readSettings, type Settings, SettingsError } from "./platform/settings.ts";
import { migrations, postgresProcedures } from "./rooms.ts";

// dist/server/main.js
const root = fileURLToPath(new URL("../../", import.meta.url));
// A client that keeps its connection must not keep the server.
const MAX_CLOSING_MS = 10_000;

await main();

async function main(): Promise<void> {
  let lock: HomeLock | undefined;
  try {
    // Whatever is written from here on, by workers too, is for this user only: it holds password hashes and models.
    process.umask(0o077);
    const settings = readSettings();
    mkdirSync(settings.home, { recursive: true, mode: 0o700 });
    lock = takeHomeLock(settings.home);
    await run(settings, lock);
  } catch (error) {
    lock?.release();
    const isExpected = error instanceof SettingsError || error instanceof HomeTakenError;
    const text = isExpected || !(error instanceof Error) ? String(error) : error.stack;
    process.stderr.write(`${isExpected ? text?.replace(/^\w+: /, "") : text}\n`);
    process.exit(1);
  }
}

async function run(settings: Settings, lock: HomeLock): Promise<void> {
  const log = makeLog(settings);
  reportAccidents(log);
  const database = await openDatabase(settings, {
    threadFile: new URL("./db-thread.js", import.meta.url),
    procedures: postgresProcedures,
    onConnectionLost: (error) =>
      log.warn({ error }, "The connection to the database was lost; it is made anew."),
    onConnectionBack: () => log.info({}, "The database answers again."),
    onWriterDeath: (error) => {
      log.error({ error }, "The database's write thread died; the server ends.");
      process.exit(1);
    },
  });
  const backupFolder = path.join(settings.home, "backup");
  const report = await migrate({ database, migrations, clock: systemClock, backupFolder });
  if (report.backup !== null)
    log.info({ ...report }, "The schema was brought up to date; a copy was made before.");
  await removeLeftovers(settings.home);
  const app = await buildApp({
    settings,
    database,
    log,
    clock: systemClock,
    cookieKey: readOrMakeSecret(path.join(settings.home, "cookie.key")),
    places: findPlaces(settings),
  });
  const address = await listen(app.fastify, settings);
  const url = settings.advertiseUrl ?? address.url;
  writeServerFile(settings.home, url);
  endOnSignals({ app, database, lock, settings, log });
  app.start();
  await announce(app, settings, url, address.isMoved);
}

// A promise that nobody waits for says nothing about the rest of the server; an exception in mid-air does.
function reportAccidents(log: Log): void {
  process.on("unhandledRejection", (error) => {
    log.error({ error }, "A promise failed and nobody was waiting for it.");
  });
  process.on("uncaughtException", (error) => {
    log.error({ error }, "The server ends: an exception that nobody caught.");
    process.exit(1);
  });
}

function makeLog({ logLevel, logFormat }: Settings): Log {
  const isPretty = logFormat === "pretty" || (logFormat === "auto" && process.stderr.isTTY);
  return new Log({
    level: logLevel,
    format: isPretty ? "pretty" : "json",
    write: (line) => process.stderr.write(`${line}\n`),
  });
}

function findPlaces(settings: Settings): Places {
  return {
    web: path.join(root, "dist/web"),
    workerSources: [path.join(root, "worker/src"), path.join(root, "sdk/src")],
    apiReference: path.join(root, "docs/reference/openapi.json"),
    pythonEnvironment: settings.pythonEnvironment ?? path.join(root, ".venv"),
    sealThread: new URL("./seal-thread.js", import.meta.url),
  };
}

/** Where workers, the command line and a second demo find this server; whole at every moment. */
function writeServerFile(home: string, url: string): void {
  const file = path.join(home, "server.json");
  const facts = { url, pid: process.pid, started_at: systemClock.now() };
  writeFileSync(`${file}.new`, JSON.stringify(facts), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

async function announce(
  app: App,
  settings: Settings,
  url: string,
  isMoved: boolean,
): Promise<void> {
  const setupSecret = await app.prepareSetup();
  const say = (line: string) => process.stdout.write(`${line}\n`);
  if (isMoved) say(`Port ${settings.port} is taken; the next free one is used.`);
  for (const folder of await app.missingDataRoots())
    say(
      `SPOTTER_DATA_ROOTS names ${folder}, which is no folder here; nothing is read from it until it is. Several folders are separated by commas.`,
    );
  say(`Spotter is listening on ${url}`);
  if (setupSecret !== null)
    say(`Create the administrator with this one-time link: ${url}/setup?token=${setupSecret}`);
  // For a parent that started us as its child (`npm run demo`, the tests).
  process.send?.({ type: "listening", url, setup_secret: setupSecret });
}

interface Ending {
  readonly app: App;
  readonly database: Database;
  readonly lock: HomeLock;
  readonly settings: Settings;
  readonly log: Log;
}

function endOnSignals(parts: Ending): void {
  let isEnding = false;
  const end = (signal: NodeJS.Signals) => {
    // The second Ctrl-C of somebody in a hurry.
    if (isEnding) process.exit(1);
    isEnding = true;
    endInOrder(parts, signal).catch((error: unknown) => {
      parts.log.error({ error }, "The server could not end in order.");
      process.exit(1);
    });
  };
  process.on("SIGINT", end);
  process.on("SIGTERM", end);
  process.on("SIGHUP", end);
}

async function endInOrder(
  { app, database, lock, settings }: Ending,
  signal: NodeJS.Signals,
): Promise<void> {
  process.stdout.write(
    `${signal}: the server ends. Trainings that run go on without it and hand their results over at the next start.\n`,
  );
  setTimeout(() => process.exit(1), MAX_CLOSING_MS).unref();
  await app.close();
  await database.close();
  rmSync(path.join(settings.home, "server.json"), { force: true });
  lock.release();
  process.exit(0);
}
