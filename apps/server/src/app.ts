// The one place where everything is built and handed down; rooms know each other only by what they are given here.
import path from "node:path";
import { endpoints } from "@spotter/contract";
import type { FastifyInstance } from "fastify";
import { AlertsRoom } from "./domains/alerts/index.ts";
import { AuthRoom } from "./domains/auth/index.ts";
import { ComparisonsRoom } from "./domains/comparisons/index.ts";
import { CompatRoom } from "./domains/compat/index.ts";
import { DatasetsRoom } from "./domains/datasets/index.ts";
import { checkSeries, MetricsRoom, SealingWorker, sealingHere } from "./domains/metrics/index.ts";
import { ModelsRoom } from "./domains/models/index.ts";
import { ProjectsRoom } from "./domains/projects/index.ts";
import {
  type Executor,
  LocalExecutor,
  type MachineNow,
  QueueRoom,
  runDirIn,
} from "./domains/queue/index.ts";
import { RUN_PURGED, RunsRoom } from "./domains/runs/index.ts";
import { SystemRoom } from "./domains/system/index.ts";
import { Bus } from "./platform/bus.ts";
import type { Clock } from "./platform/clock.ts";
import { ContentCollector } from "./platform/content-collector.ts";
import { ContentStore } from "./platform/content-store.ts";
import type { Database } from "./platform/db/database.ts";
import { makeHttpServer } from "./platform/http-server.ts";
import { urlOf } from "./platform/listen.ts";
import type { Log } from "./platform/log.ts";
import { Outbox } from "./platform/outbox.ts";
import { Router } from "./platform/route.ts";
import { readOrMakeSecret } from "./platform/secret-file.ts";
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
  /** Another one than this machine's; it is told the server's address. */
  readonly makeExecutor?: (serverUrl: () => string) => Executor;
}

/** Where things lie that are not in the data folder. */
export interface Places {
  /** The built pages; null without them. */
  readonly web: string | null;
  /** The folder that holds the Python package `spotter_worker`. */
  readonly workerSources: readonly string[];
  /** OpenAPI as `gen-contract` has written it. */
  readonly apiReference: string;
  /** The virtual environment that workers run in. */
  readonly pythonEnvironment: string;
  /** The bundled `seal-thread.js`; without it metrics are sealed in the main thread. */
  readonly sealThread?: URL;
}

export interface App {
  readonly fastify: FastifyInstance;
  /** The secret of the one-time link that makes the administrator; null when there is one. */
  prepareSetup(): Promise<string | null>;
  /** Folders that data may be read from, as set, and that are not there. */
  missingDataRoots(): Promise<string[]>;
  /** Live streams that are connected now. */
  openStreams(): number;
  /** Begins everything that happens by itself: readings, the queue. Called once the server listens. */
  start(): void;
  /** Removes what was deleted long ago; happens by itself each hour. */
  sweep(): Promise<void>;
  /** Ends streams and requests in order, then the rooms. The database stays open: whoever opened it closes it. */
  close(): Promise<void>;
}

const MAX_DRAINING_MS = 2_000;
const SEALING_KEY_LOST = "every alert target's address and secret must then be set anew";

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
  const rooms = buildRooms(parts, () => settings.advertiseUrl ?? urlOf(fastify, settings.host));
  const router = new Router(fastify, rooms.auth.access);
  rooms.auth.registerRoutes(router);
  rooms.system.registerRoutes(router);
  rooms.projects.registerRoutes(router, rooms.auth.memberships, rooms.auth.audit);
  rooms.queue.registerRoutes(fastify, router);
  rooms.datasets.registerRoutes(router);
  rooms.runs.registerRoutes(fastify, router, rooms.auth.access);
  rooms.metrics.registerRoutes(router);
  rooms.models.registerRoutes(router);
  rooms.comparisons.registerRoutes(router);
  rooms.alerts.registerRoutes(router);
  rooms.compat.registerRoutes(router);
  assertEveryEndpointIsBound(router);
  return {
    fastify,
    prepareSetup: () => rooms.auth.service.prepareSetup(),
    missingDataRoots: () => rooms.datasets.missingRoots(),
    openStreams: () => rooms.metrics.openStreams,
    start() {
      rooms.system.start();
      rooms.outbox.start();
      rooms.runs.start();
      rooms.metrics.start();
      rooms.models.start();
      rooms.alerts.start();
      rooms.queue.start();
      rooms.compat.start();
      rooms.collector.start();
    },
    sweep: () => rooms.runs.sweep(),
    async close() {
      isClosing = true;
      rooms.system.stop();
      await rooms.compat.stop();
      await rooms.queue.stop();
      rooms.metrics.closeStreams();
      await closeConnections(fastify);
      await rooms.alerts.stop();
      await rooms.metrics.stop();
      await rooms.models.stop();
      await rooms.runs.stop();
      await rooms.outbox.stop();
      await rooms.collector.stop();
    },
  };
}

// Requests in progress get their answer; whoever still holds a connection then loses it.
async function closeConnections(fastify: FastifyInstance): Promise<void> {
  const timer = setTimeout(() => fastify.server.closeAllConnections(), MAX_DRAINING_MS);
  await fastify.close();
  clearTimeout(timer);
}

/** @param baseUrl where people reach this server; known once it listens */
function buildRooms(parts: AppParts, baseUrl: () => string) {
  const { settings, database, log, clock, places } = parts;
  const now = () => clock.now();
  const bus = new Bus((error, event) =>
    log.error({ error, event: event.type }, "A listener of the bus failed."),
  );
  const system = new SystemRoom({
    ...{ bus, clock, database, version },
    home: settings.home,
    pythonEnvironment: places.pythonEnvironment,
    apiReference: places.apiReference,
    dataRoots: settings.dataRoots,
    registration: settings.registration,
    onError: (error) => log.warn({ error }, "The host could not be read."),
  });
  const projects = new ProjectsRoom({ database, now });
  const requireProject = async (id: number) => {
    await projects.service.require(id);
  };
  const auth = new AuthRoom({
    ...{ database, bus, now },
    settings: { registration: settings.registration, version, secure: settings.secureCookies },
    requireProject,
    defaultProject: () => projects.service.defaultProject(),
  });
  const outbox = new Outbox({ database, clock, log });
  return {
    ...{ system, projects, auth, outbox },
    ...buildTrainingRooms({
      ...{ settings, database, log, places, clock, now, bus, outbox, projects, auth },
      ...{ requireProject, baseUrl, makeExecutor: parts.makeExecutor },
      machine: () => machineOf(system, settings),
    }),
  };
}

/** The machine with the GPUs that the settings leave to trainings. */
function machineOf(system: SystemRoom, { visibleGpus }: Settings): MachineNow | null {
  const machine = system.machine();
  if (machine === null || visibleGpus === null) return machine;
  return { ...machine, gpus: machine.gpus.filter(({ index }) => visibleGpus.includes(index)) };
}

interface LowerRooms extends Pick<AppParts, "settings" | "database" | "log" | "places" | "clock"> {
  readonly makeExecutor: AppParts["makeExecutor"];
  readonly now: () => number;
  readonly bus: Bus;
  readonly outbox: Outbox;
  readonly projects: ProjectsRoom;
  readonly auth: AuthRoom;
  readonly requireProject: (id: number) => Promise<void>;
  readonly machine: () => MachineNow | null;
  readonly baseUrl: () => string;
}

/** The queue and the rooms above it, whose sinks and observers it is told before it starts. */
function buildTrainingRooms(parts: LowerRooms) {
  const { settings, database, log, places, clock, now, bus, outbox, projects, auth } = parts;
  const { home, dataRoots, maxUploadBytes } = settings;
  const content = new ContentStore(home);
  const defaultProject = () => projects.service.defaultProject();
  const queue = buildQueueRoom(parts, content);
  const datasets = new DatasetsRoom({
    ...{ database, content, home, dataRoots, maxUploadBytes, now, defaultProject },
    maxProjectBytes: settings.maxProjectDataBytes,
    audit: auth.audit,
  });
  const runs: RunsRoom = new RunsRoom({
    ...{ database, bus, outbox, log, now, home, defaultProject },
    commandRuns: settings.commandRuns,
    maxLogLines: settings.maxLogLines,
    queue: queue.service,
    datasets: datasets.service,
    audit: auth.audit,
    streamFacts: (runId) => metrics.streamFacts(runId),
    history: {
      cut: (runId, attempt, firstStep) => metrics.cut(runId, attempt, firstStep),
      tellLastValues: (runId) => metrics.tellLastValues(runId),
    },
    locateModel: (versionId, projectId) => models.service.locate(versionId, projectId),
    held: (runIds) => models.holding(runIds),
  });
  const metrics: MetricsRoom = new MetricsRoom({
    ...{ database, bus, log, now },
    runs: runs.service,
    access: auth.access,
    recordSummaries: (runId, rows) => runs.recordMetricSummaries(runId, rows),
    sealing: places.sealThread === undefined ? sealingHere : new SealingWorker(places.sealThread),
  });
  const models: ModelsRoom = new ModelsRoom({
    ...{ database, outbox, content, log, now, home, runs },
    queue: queue.service,
    audit: auth.audit,
  });
  const comparisons = new ComparisonsRoom({
    ...{ database, now, access: auth.access, audit: auth.audit },
    runs: runs.service,
    metrics: metrics.service,
  });
  const alerts = buildAlertsRoom(parts, runs, metrics);
  outbox.handle(RUN_PURGED, async (payload) => {
    const { run_id: runId } = payload as { run_id: number };
    await metrics.purge(runId);
    await alerts.forget(runId);
  });
  const compat = new CompatRoom({
    ...{ database, log, now, defaultProject },
    requireProject: parts.requireProject,
    audit: auth.audit,
    queue: queue.service,
    runs: runs.service,
    resolveFolder: (wanted) => datasets.service.resolvePath(wanted),
    quietMinutes: settings.tensorboardQuietMinutes,
  });
  for (const room of [runs, metrics, models, alerts]) queue.registerSink(room.sink);
  for (const room of [runs, alerts]) queue.observe(room.observer);
  const checks = [queue.referenced, datasets.referenced, models.referenced];
  const collector = new ContentCollector({ content, checks, clock, log });
  return { queue, datasets, runs, metrics, models, comparisons, alerts, compat, collector };
}

function buildQueueRoom(parts: LowerRooms, content: ContentStore): QueueRoom {
  const { settings, database, log, now, bus, auth, makeExecutor, baseUrl } = parts;
  return new QueueRoom({
    ...{ database, bus, now, log, content },
    home: settings.home,
    maxFileBytes: settings.maxUploadBytes,
    checkSeries,
    audit: auth.audit,
    maxRunningPerPerson: settings.maxRunningPerPerson,
    mayPreempt: settings.preemption,
    executor: makeExecutor?.(baseUrl) ?? localExecutor(parts),
  });
}

function localExecutor({ settings, places, machine }: LowerRooms): Executor {
  return new LocalExecutor({
    home: settings.home,
    runDir: runDirIn(settings.home),
    machine,
    python: path.join(places.pythonEnvironment, "bin/python"),
    workerSources: places.workerSources,
    secrets: settings.secrets,
  });
}

function buildAlertsRoom(parts: LowerRooms, runs: RunsRoom, metrics: MetricsRoom): AlertsRoom {
  const { settings, database, bus, outbox, log, now, projects, auth, baseUrl } = parts;
  return new AlertsRoom({
    ...{ database, bus, outbox, log, now, version, baseUrl, metrics },
    runs: runs.service,
    audit: auth.audit,
    defaultProject: () => projects.service.defaultProject(),
    requireProject: parts.requireProject,
    sealingKey: readOrMakeSecret(path.join(settings.home, "alerts.key"), SEALING_KEY_LOST),
    allowPrivateTargets: settings.alertPrivateTargets === "allow",
  });
}

/** A contract that promises what no room serves must not start. */
function assertEveryEndpointIsBound(router: Router): void {
  const bound = new Set(router.bound.map(({ name }) => name));
  const missing = endpoints.filter(({ name }) => !bound.has(name)).map(({ name }) => name);
  if (missing.length > 0)
    throw new Error(`No room has bound these endpoints of the contract: ${missing.join(", ")}.`);
}
