// The one place where everything is built and handed down; rooms know each other only by what they are given here.
import { endpoints } from "@spotter/contract";
import type { FastifyInstance } from "fastify";
import { AuthRoom } from "./domains/auth/index.ts";
import { ProjectsRoom } from "./domains/projects/index.ts";
import { SystemRoom } from "./domains/system/index.ts";
import { Bus } from "./platform/bus.ts";
import type { Clock } from "./platform/clock.ts";
import type { Database } from "./platform/db/database.ts";
import { makeHttpServer } from "./platform/http-server.ts";
import type { Log } from "./platform/log.ts";
import { Router } from "./platform/route.ts";
import type { Settings } from "./platform/settings.ts";
import { version } from "./platform/version.ts";

export interface AppParts {
  readonly settings: Settings;
  /** Migrated. */
  readonly database: Database;
  readonly log: Log;
  readonly clock: Clock;
  /** Signs session cookies. */
  readonly cookieKey: string;
  readonly places: Places;
}

/** Where things lie that are not in the data folder. */
export interface Places {
  /** The built pages; null without them. */
  readonly web: string | null;
  /** The folder that holds the Python package `spotter_worker`. */
  readonly workerSource: string;
  /** The virtual environment that workers run in. */
  readonly pythonEnvironment: string;
}

export interface App {
  readonly fastify: FastifyInstance;
  /** The secret of the one-time link that makes the administrator; null when there is one. */
  prepareSetup(): Promise<string | null>;
  /** Begins everything that happens by itself: readings, the queue. Called once the server listens. */
  start(): void;
  /** Ends streams and requests in order, then the rooms. The database stays open: whoever opened it closes it. */
  close(): Promise<void>;
}

export async function buildApp(parts: AppParts): Promise<App> {
  const { settings, log, places } = parts;
  let isClosing = false;
  const fastify = await makeHttpServer({
    settings,
    log,
    cookieKey: parts.cookieKey,
    webFolder: places.web,
    isClosing: () => isClosing,
  });
  const rooms = buildRooms(parts);
  const router = new Router(fastify, rooms.auth.access);
  rooms.auth.registerRoutes(router);
  rooms.system.registerRoutes(router);
  rooms.projects.registerRoutes(router, rooms.auth.memberships, rooms.auth.audit);
  assertEveryEndpointIsBound(router);
  return {
    fastify,
    prepareSetup: () => rooms.auth.service.prepareSetup(),
    start() {
      rooms.system.start();
    },
    async close() {
      isClosing = true;
      rooms.system.stop();
      await fastify.close();
    },
  };
}

function buildRooms({ settings, database, log, clock, places }: AppParts) {
  const now = () => clock.now();
  const bus = new Bus((error, event) =>
    log.error({ error, event: event.type }, "A listener of the bus failed."),
  );
  const system = new SystemRoom({
    ...{ bus, clock, database, version },
    home: settings.home,
    pythonEnvironment: places.pythonEnvironment,
    dataRoots: settings.dataRoots,
    registration: settings.registration,
    onError: (error) => log.warn({ error }, "The host could not be read."),
  });
  const projects = new ProjectsRoom({ database, now });
  const auth = new AuthRoom({
    ...{ database, now },
    settings: { registration: settings.registration, version, secure: settings.secureCookies },
    requireProject: async (id) => {
      await projects.service.require(id);
    },
    defaultProject: () => projects.service.defaultProject(),
  });
  return { system, projects, auth };
}

/** A contract that promises what no room serves must not start. */
function assertEveryEndpointIsBound(router: Router): void {
  const bound = new Set(router.bound.map(({ name }) => name));
  const domains = new Set(router.bound.map(({ domain }) => domain));
  const missing = endpoints
    .filter(({ name, domain }) => domains.has(domain) && !bound.has(name))
    .map(({ name }) => name);
  if (missing.length > 0)
    throw new Error(`No room has bound these endpoints of the contract: ${missing.join(", ")}.`);
}
