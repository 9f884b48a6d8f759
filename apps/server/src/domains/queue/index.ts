// The queue room's door.
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
import type { Executor } from "./executor.ts";
import { JobLifecycle, type JobObserver } from "./lifecycle.ts";
import { Monitor } from "./monitor.ts";
import { type MachineNow, Planner } from "./planner.ts";
import { QueueOrders } from "./queue-orders.ts";
import { QueueViewer } from "./queue-view.ts";
import { registerQueueRoutes } from "./routes.ts";
import { Scheduler } from "./scheduler.ts";
import { QueueService } from "./service.ts";
import { queueSink } from "./sink.ts";
import { QueueStore } from "./store.ts";
import { EventTaker } from "./take-events.ts";

export type { SeriesCheck } from "./batch-parser.ts";
export { sentenceOf } from "./endings.ts";
export type { Executor } from "./executor.ts";
export type { JobObserver, LostAttempt } from "./lifecycle.ts";
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
  /** What trainings are placed on; null while nobody knows yet whether there are GPUs. */
  readonly machine: () => MachineNow | null;
  /** Null: as many as fit. */
  readonly maxRunningPerPerson: number | null;
}

/** Jobs, attempts, the worker protocol. Higher rooms register sinks and observers before `start`. */
export class QueueRoom {
  readonly service: QueueService;
  /** For the content store's collector. */
  readonly referenced: ReferenceCheck;
  readonly #taker: EventTaker;
  readonly #lifecycle: JobLifecycle;
  readonly #board: CommandBoard;
  readonly #tokens: AttemptTokens;
  readonly #scheduler: Scheduler;
  readonly #monitor: Monitor;

  constructor(parts: QueueRoomParts) {
    const { database, bus, now, log, executor, checkSeries, content, maxFileBytes } = parts;
    const store = new QueueStore(database);
    const lifecycle = new JobLifecycle(store, now);
    const taker = new EventTaker(database, store, now);
    const board = new CommandBoard(store);
    const { machine, maxRunningPerPerson, audit } = parts;
    const planner = new Planner({ store, machine, maxRunningPerPerson, now });
    const scheduler = new Scheduler({ store, lifecycle, executor, planner, log });
    const viewer = new QueueViewer({
      ...{ store, planner, now },
      obstacle: () => executor.unavailable(),
    });
    const orders = new QueueOrders({ store, lifecycle, planner, audit });
    const service = new QueueService({
      ...{ store, lifecycle, scheduler, taker, board, executor, bus, checkSeries },
      ...{ content, maxFileBytes, now, viewer, orders },
    });
    taker.register(
      queueSink(statementMaker(database.engine), {
        jobTouched: (jobId) => service.jobTouched(jobId),
        attemptEnded: () => scheduler.kick(),
        retryOf: (jobId, attempt, exit) => lifecycle.retryOf(jobId, attempt, exit),
        commandAcked: (commandId) => {
          service.commandAcked(commandId).catch((error: unknown) => {
            log.error({ error, command_id: commandId }, "A command's news were not told.");
          });
        },
      }),
    );
    lifecycle.observe({
      jobsChanged: async () => undefined,
      attemptLost: async () => undefined,
      afterJobsChanged: (jobIds) => {
        for (const jobId of jobIds) service.jobTouched(jobId);
      },
    });
    this.service = service;
    this.referenced = (sha256s) => store.referenced(sha256s);
    this.#taker = taker;
    this.#lifecycle = lifecycle;
    this.#board = board;
    this.#tokens = new AttemptTokens(store, now);
    this.#scheduler = scheduler;
    this.#monitor = new Monitor({ store, lifecycle, scheduler, executor, log, now });
  }

  /** The queue's own sink is first: the rooms above find the job's row changed already. */
  registerSink(sink: Sink): void {
    this.#taker.register(sink);
  }

  observe(observer: JobObserver): void {
    this.#lifecycle.observe(observer);
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
  }

  /** Running attempts go on without us. */
  async stop(): Promise<void> {
    this.#board.close();
    await this.#monitor.stop();
    await this.#scheduler.stop();
  }
}
