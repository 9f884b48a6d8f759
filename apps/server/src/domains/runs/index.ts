// The runs room's door.
import path from "node:path";
import type { FastifyInstance } from "fastify";
import type { AuditRecorder } from "../../platform/audit.ts";
import type { Bus } from "../../platform/bus.ts";
import type { Database } from "../../platform/db/database.ts";
import { statementMaker } from "../../platform/db/statement.ts";
import type { Log } from "../../platform/log.ts";
import type { Outbox } from "../../platform/outbox.ts";
import type { AccessControl, Router } from "../../platform/route.ts";
import type { Sink } from "../../platform/sink.ts";
import type { DatasetService } from "../datasets/index.ts";
import type { JobObserver, QueueService } from "../queue/index.ts";
import { RunControl } from "./control.ts";
import { RunFeed } from "./feed.ts";
import { ForkOrigins } from "./fork-origins.ts";
import { Forks } from "./forks.ts";
import { ForksStore } from "./forks-store.ts";
import { runJobObserver } from "./job-observer.ts";
import { LastLines } from "./last-lines.ts";
import { LiveChanges } from "./live-changes.ts";
import { LogsStore } from "./logs-store.ts";
import type { PlaceParts } from "./places.ts";
import { Predictions } from "./predictions.ts";
import { Preflights } from "./preflights.ts";
import { Purge } from "./purge.ts";
import { registerRunRoutes } from "./routes.ts";
import { RunList } from "./run-list.ts";
import { RunService, type RunServiceParts, type StreamFacts } from "./service.ts";
import { runsSink } from "./sink.ts";
import { type MetricSummary, RunsStore } from "./store.ts";
import { type History, WentBack } from "./went-back.ts";

export type { ComparableRun } from "./comparable-run.ts";
export { configAtStart, configChanges } from "./live-values.ts";
export { migrations } from "./migrations.ts";
export type { Predictions } from "./predictions.ts";
export { RUN_PURGED } from "./purge.ts";
export type { NewRun } from "./run-creation.ts";
export { pathInside } from "./run-files.ts";
export type { RunService, StreamFacts } from "./service.ts";
export type { MetricSummary } from "./store.ts";
export type { RunRow } from "./tables.ts";
export { commandsAfter, type TrainedRun } from "./trained-run.ts";

export interface RunsRoomParts {
  readonly database: Database;
  readonly bus: Bus;
  readonly outbox: Outbox;
  readonly log: Log;
  /** Unix seconds. */
  readonly now: () => number;
  /** The data folder. */
  readonly home: string;
  readonly queue: QueueService;
  readonly datasets: DatasetService;
  readonly audit: AuditRecorder;
  readonly defaultProject: () => Promise<number>;
  readonly commandRuns: RunServiceParts["commandRuns"];
  /** Of each run's log lines so many are kept. */
  readonly maxLogLines: number;
  /** Where a run's stream stands; the metrics room, a storey above, answers. */
  readonly streamFacts: (runId: number) => Promise<StreamFacts>;
  /** The points of runs that go back; the metrics room answers. */
  readonly history: History;
  /** The weights folder of a model version; the models room, a storey above, answers. */
  readonly locateModel: PlaceParts["locateModel"];
  /** Of these runs, those whose files somebody above still needs; they are purged later. */
  readonly held: (runIds: readonly number[]) => Promise<ReadonlySet<number>>;
}

/** Training runs. `sink` and `observer` are to be registered with the queue before it starts. */
export class RunsRoom {
  readonly service: RunService;
  readonly sink: Sink;
  readonly observer: JobObserver;
  /** Shared with the models room, whose versions answer the same way. */
  readonly predictions: Predictions;
  readonly #parts: RunsRoomParts;
  readonly #store: RunsStore;
  readonly #control: RunControl;
  readonly #forks: Forks;
  readonly #liveChanges: LiveChanges;
  readonly #preflights: Preflights;
  readonly #feed: RunFeed;
  readonly #purge: Purge;
  readonly #lastLines: LastLines;
  readonly #wentBack: WentBack;

  constructor(parts: RunsRoomParts) {
    const { database, bus, outbox, log, now, queue, datasets, audit, streamFacts } = parts;
    const sources = { datasets, locateModel: parts.locateModel };
    const store = new RunsStore(database);
    const forks = new ForksStore(database);
    const origins = new ForkOrigins(parts.home);
    const logs = new LogsStore(database);
    const feed = new RunFeed({ store, logs, bus, log });
    const list = new RunList(database);
    const lastLines = new LastLines({ store, logs, feed, log });
    const wentBack = new WentBack({ store, queue, history: parts.history, feed, log });
    this.service = new RunService({
      ...{ store, forks, list, logs, queue, datasets, feed, audit, now, streamFacts },
      ...{ locateModel: parts.locateModel, commandRuns: parts.commandRuns },
    });
    const runs = this.service;
    this.#forks = new Forks({ runs, store, forks, origins, queue, sources, audit });
    const listener = {
      runTouched: (runId: number) => feed.runTouched(runId),
      linesAppended: (runId: number, numLines: number) => feed.linesAppended(runId, numLines),
      fileChanged: (runId: number, file: string) => feed.fileChanged(runId, file),
      attemptEnded: (runId: number) => {
        lastLines.attach(runId);
        wentBack.look([runId]);
      },
    };
    this.sink = runsSink(statementMaker(database.engine), listener, parts.maxLogLines);
    this.observer = runJobObserver(store, feed, queue, wentBack, now);
    this.#parts = parts;
    this.#store = store;
    this.#liveChanges = new LiveChanges({ store, queue });
    this.#control = new RunControl({
      ...{ runs: this.service, store, queue, audit, liveChanges: this.#liveChanges },
    });
    const folder = path.join(parts.home, "tmp", "predict");
    this.predictions = new Predictions({ store, queue, sources, folder });
    this.#preflights = new Preflights({ store, queue, sources });
    this.#feed = feed;
    this.#lastLines = lastLines;
    this.#wentBack = wentBack;
    this.#purge = new Purge({ store, forks, origins, outbox, queue, log, now, held: parts.held });
  }

  /** For the metrics room, after each of its commits: what the list shows and sorts by. Throws when the run is gone. */
  async recordMetricSummaries(runId: number, rows: readonly MetricSummary[]): Promise<void> {
    await this.#store.recordMetrics(runId, rows);
    // They come a moment after the points: a run that has paused or ended meanwhile tells nothing else any more.
    this.#feed.runTouched(runId);
  }

  registerRoutes(app: FastifyInstance, router: Router, access: AccessControl): void {
    const { queue, defaultProject } = this.#parts;
    registerRunRoutes({
      ...{ app, router, access, queue, defaultProject },
      runs: this.service,
      control: this.#control,
      forks: this.#forks,
      liveChanges: this.#liveChanges,
      predictions: this.predictions,
      preflights: this.#preflights,
      store: this.#store,
    });
  }

  start(): void {
    this.predictions.clear();
    this.#purge.start();
  }

  /** Removes what was deleted long ago; happens by itself each hour. */
  async sweep(): Promise<void> {
    await this.#purge.sweep();
  }

  async stop(): Promise<void> {
    this.#feed.close();
    await this.#purge.stop();
    await this.#lastLines.finished();
    await this.#wentBack.finished();
  }
}
