// A whole server for a medium test: fresh home and database, real HTTP on a free port, an administrator, a client.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { HttpClient } from "@spotter/client";
import { setup, signInForToken } from "@spotter/contract";
import { type App, type AppParts, buildApp } from "../src/app.ts";
import { type Clock, systemClock } from "../src/platform/clock.ts";
import type { Database } from "../src/platform/db/database.ts";
import { listen } from "../src/platform/listen.ts";
import { Log } from "../src/platform/log.ts";
import { readSettings, type Settings } from "../src/platform/settings.ts";
import {
  createTestPlace,
  migrateTestDatabase,
  openPlace,
  removeTestPlace,
  watchForFailure,
} from "./database.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

export const WORKER_SOURCES = [path.join(root, "worker/src"), path.join(root, "sdk/src")];
export const PYTHON = path.join(root, ".venv/bin/python");

export const ADMIN = { name: "ada", password: "correct horse battery" };

export interface TestServerOptions {
  /** Besides `SPOTTER_HOME` and the port, which the harness chooses. */
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** True: trainings really start, in the checkout's Python environment. */
  readonly hasWorkers?: boolean;
  /** Another executor than this machine's. */
  readonly makeExecutor?: AppParts["makeExecutor"];
  /** Built pages to serve. */
  readonly webFolder?: string;
  /** False: nobody has used the set-up link yet. */
  readonly hasAdmin?: boolean;
}

export interface TestServer {
  readonly url: string;
  readonly home: string;
  readonly settings: Settings;
  readonly database: Database;
  readonly app: App;
  /** Signed in as the administrator, by an API token. */
  readonly client: HttpClient;
  readonly token: string;
  /** Everything that was logged, one parsed line each. */
  readonly logged: readonly Record<string, unknown>[];
  /** The secret of the set-up link; used up unless `hasAdmin` is false. */
  readonly setupSecret: string;
  /** Ends the server in order and starts another on the same data, at another port: take `url` and `client` anew. */
  restart(): Promise<void>;
  /** Another server on the same database, with a folder of its own; ends with this one. */
  openBeside(): Promise<Pick<TestServer, "client">>;
  /** Ends the server and removes its data, unless the test failed. */
  close(): Promise<void>;
}

/** Works in a test and in `beforeAll`; call `close` at the end of either. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const failure = watchForFailure();
  const place = await createTestPlace();
  const settings = readSettings({
    SPOTTER_HOME: place.folder,
    SPOTTER_PORT: "0",
    SPOTTER_LOG_LEVEL: "warn",
    ...options.env,
  });
  const database = await openPlace(place, settings.failAfterCommitOf);
  await migrateTestDatabase(place, database);
  const logged: Record<string, unknown>[] = [];
  const open = async (own: Settings) => {
    const app = await buildApp({
      settings: own,
      database,
      log: new Log({
        level: settings.logLevel,
        format: "json",
        write: (line) => logged.push(JSON.parse(line) as Record<string, unknown>),
      }),
      clock: options.clock ?? systemClock,
      cookieKey: "0".repeat(64),
      ...(options.makeExecutor === undefined ? {} : { makeExecutor: options.makeExecutor }),
      places: {
        web: options.webFolder ?? null,
        apiReference: path.join(root, "docs/reference/openapi.json"),
        workerSources: WORKER_SOURCES,
        pythonEnvironment: options.hasWorkers
          ? path.join(root, ".venv")
          : path.join(place.folder, "no-python"),
      },
    });
    const { url } = await listen(app.fastify, own);
    // Where workers find the server, as main.ts writes it.
    writeFileSync(path.join(own.home, "server.json"), JSON.stringify({ url }));
    app.start();
    return { app, url };
  };
  let { app, url } = await open(settings);
  const beside: App[] = [];
  const setupSecret = (await app.prepareSetup()) ?? "";
  const token = options.hasAdmin === false ? "" : await createAdmin(url, setupSecret);
  let client = new HttpClient({ baseUrl: url, token });
  return {
    ...{ home: place.folder, settings, database, token, logged, setupSecret },
    get url() {
      return url;
    },
    get app() {
      return app;
    },
    get client() {
      return client;
    },
    async restart() {
      await app.close();
      ({ app, url } = await open(settings));
      client = new HttpClient({ baseUrl: url, token });
    },
    async openBeside() {
      const home = path.join(place.folder, "beside");
      mkdirSync(home, { recursive: true });
      const other = await open({ ...settings, home });
      beside.push(other.app);
      return { client: new HttpClient({ baseUrl: other.url, token }) };
    },
    async close() {
      for (const other of beside) await other.close();
      await app.close();
      await database.close();
      await removeTestPlace(place, failure);
    },
  };
}

async function createAdmin(url: string, setupSecret: string): Promise<string> {
  const anonymous = new HttpClient({ baseUrl: url });
  await anonymous.call(setup, { body: { ...ADMIN, setup_token: setupSecret } });
  const made = await anonymous.call(signInForToken, { body: { ...ADMIN, token_name: "test" } });
  return made.secret;
}
