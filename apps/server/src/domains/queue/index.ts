// The queue room's door.
import path from "node:path";
import type { FastifyInstance } from "fastify";
import type { AuditRecorder } from "../../platform/audit.ts";
import type { Bus } from "../../platform/bus.ts";
import type { ContentStore, ReferenceCheck } from "../../platform/content-store.ts";
import type { Database } from "../../platform/db/database.ts";
import { statementMaker } from "../../platform/db/statement.ts";
import type { Log } from "../../platform/log.ts";
import type { Router } from "../../platform/route.ts";
import type { Sink } from "../../platform/sink.ts";
import { AttemptTokens } from "./attempt-tokens.ts";
import type { SeriesCheck } from "./batch-parser.ts";
import { CommandBoard } from "./command-board.ts";
import { CommandsStore } from "./commands-store.ts";
import type { Executor } from "./executor.ts";
import { FetchesStore } from "./fetches-store.ts";
import { FileFetcher } from "./file-fetcher.ts";
import { JobChanges, type JobObserver } from "./job-changes.ts";
import { JobLifecycle } from "./lifecycle.ts";
import { LostAttempts } from "./lost-attempts.ts";
import { Monitor } from "./monitor.ts";
import { PlanStore } from "./plan-store.ts";
import { Planner } from "./planner.ts";
import { Preemptions } from "./preemptions.ts";
import { PreemptionsStore } from "./preemptions-store.ts";
import { QueueCancels } from "./queue-cancels.ts";
import { QueueOrders } from "./queue-orders.ts";
import { QueueViewer } from "./queue-view.ts";
import { registerQueueRoutes } from "./routes.ts";
import { Scheduler } from "./scheduler.ts";
import { QueueService } from "./service.ts";
import { queueSink } from "./sink.ts";
import { Starter } from "./starter.ts";
import { QueueStore } from "./store.ts";
import { EventTaker } from "./take-events.ts";

export type { SeriesCheck } from "./batch-parser.ts";
export { hintOf, sentenceOf } from "./endings.ts";
export {
  type AttemptHandle,
  type AttemptState,
  type Executor,
  type FileSource,
  MachineUnreachable,
  type StagedAttempt,
  type StopForce,
  type StoredFile,
} from "./executor.ts";
export type { JobObserver, LostAttempt } from "./job-changes.ts";
export type { GivenCommand } from "./lifecycle.ts";
export { relocated } from "./material.ts";
export { migrations } from "./migrations.ts";
export type { MachineNow } from "./planner.ts";
export type { QueueService } from "./service.ts";
export type { JobRow, JobWork } from "./tables.ts";
export { LocalExecutor, type LocalExecutorOptions } from "./tools/local-executor.ts";

export interface QueueRoomParts {
  readonly database: Database;
  readonly bus: Bus;
  /** Unix seconds. */
  readonly now: () => number;
  readonly log: Log;
  readonly executor: Executor;
  /** The metrics room's fast check of a batch's series. */
  readonly checkSeries: SeriesCheck;
  readonly content: ContentStore;
  /** The largest file that a worker may send. */
  readonly maxFileBytes: number;
  readonly audit: AuditRecorder;
  /** The data folder. */
  readonly home: string;
  /** Null: as many as fit. */
  readonly maxRunningPerPerson: number | null;
  /** Whether urgent trainings make others give way. */
  readonly mayPreempt: boolean;
}

/** Where the server keeps a job's files, whoever runs it. */
export const runDirIn = (home: string) => (jobId: number) => path.join(home, "runs", String(jobId));

/** Jobs, attempts, the worker protocol. Higher rooms register sinks and observers before `start`. */
export class QueueRoom {
  readonly service: QueueService;
  /** For the content store's collector. */
  readonly referenced: ReferenceCheck;
  readonly #taker: EventTaker;
  readonly #changes: JobChanges;
  readonly #board: CommandBoard;
  readonly #tokens: AttemptTokens;
  readonly #scheduler: Scheduler;
  readonly #starter: Starter;
  readonly #fetcher: FileFetcher;
  readonly #monitor: Monitor;

  constructor(parts: QueueRoomParts) {
    const { database, bus, now, log, executor, checkSeries, content, maxFileBytes } = parts;
    const store = new QueueStore(database);
    const commands = new CommandsStore(database);
    const changes = new JobChanges(store);
    const lifecycle = new JobLifecycle(store, commands, changes, now);
    const losses = new LostAttempts(store, commands, changes, now);
    const taker = new EventTaker(database, store, now);
    const board = new CommandBoard(commands);
    const { home, maxRunningPerPerson, mayPreempt, audit } = parts;
    const runDir = runDirIn(home);
    const fetcher = new FileFetcher({
      ...{ changes, log, runDir, store: new FetchesStore(database) },
      source: executor.files,
      patienceS: executor.patienceS,
      workFolder: path.join(home, "tmp", "fetched"),
    });
    const starter = new Starter({ store, losses, executor, fetcher, runDir, log });
    const machine = () => executor.machine();
    const planner = new Planner({
      ...{ store: new PlanStore(database), machine, maxRunningPerPerson, mayPreempt, now },
    });
    const preemptions = new Preemptions({
      ...{ store, commands, changes, board, audit, log, now },
      asking: new PreemptionsStore(database),
    });
    const scheduler = new Scheduler({
      ...{ store, lifecycle, changes, preemptions, executor, planner, starter, audit, log },
    });
    const viewer = new QueueViewer({
      ...{ store, planner, now },
      obstacle: () => executor.unavailable(),
    });
    const orders = new QueueOrders({ store, changes, planner, audit });
    const cancels = new QueueCancels({ store, lifecycle, audit });
    const service = new QueueService({
      ...{ store, commands, lifecycle, scheduler, taker, board, executor, bus, checkSeries },
      ...{ content, maxFileBytes, now, viewer, orders, cancels, fetcher, runDir, log },
    });
    const listener = {
      jobTouched: (jobId: number) => service.jobTouched(jobId),
      attemptEnded: () => scheduler.kick(),
      fileTold: () => fetcher.kick(),
      fileRemoved: (jobId: number, file: string) => {
        fetcher.removed(jobId, file).catch((error: unknown) => {
          log.warn({ error, job_id: jobId, path: file }, "A removed file is still here.");
        });
      },
      retryOf: losses.retryOf.bind(losses),
      commandAcked: (commandId: number) => {
        service.commandAcked(commandId).catch((error: unknown) => {
          log.error({ error, command_id: commandId }, "A command's news were not told.");
        });
      },
    };
    taker.register(queueSink(statementMaker(database.engine), listener, executor.files !== null));
    changes.observe({
      jobsChanged: async () => undefined,
      attemptLost: async () => undefined,
      afterJobsChanged: (jobIds) => {
        for (const jobId of jobIds) service.jobTouched(jobId);
      },
    });
    this.service = service;
    this.referenced = (sha256s) => store.referenced(sha256s);
    this.#taker = taker;
    this.#changes = changes;
    this.#board = board;
    this.#tokens = new AttemptTokens(store, now);
    this.#scheduler = scheduler;
    this.#starter = starter;
    this.#fetcher = fetcher;
    this.#monitor = new Monitor({
      ...{ store, lifecycle, losses, scheduler, starter, fetcher, executor, log, now },
    });
  }

  /** The queue's own sink is first: the rooms above find the job's row changed already. */
  registerSink(sink: Sink): void {
    this.#taker.register(sink);
  }

  observe(observer: JobObserver): void {
    this.#changes.observe(observer);
  }

  registerRoutes(app: FastifyInstance, router: Router): void {
    registerQueueRoutes(app, router, {
      service: this.service,
      tokens: this.#tokens,
      board: this.#board,
    });
  }

  /** Takes up what an earlier server left, and starts what waits. */
  start(): void {
    this.#monitor.start();
    this.#fetcher.kick();
  }

  /** Running attempts go on without us. */
  async stop(): Promise<void> {
    this.#board.close();
    await this.#monitor.stop();
    await this.#scheduler.stop();
    await this.#starter.stop();
    await this.#fetcher.stop();
  }
}
