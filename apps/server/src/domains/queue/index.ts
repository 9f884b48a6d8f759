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
import { JobChanges, type JobObserver } from "./job-changes.ts";
import { JobLifecycle } from "./lifecycle.ts";
import { LostAttempts } from "./lost-attempts.ts";
import { Monitor } from "./monitor.ts";
import { type MachineNow, Planner } from "./planner.ts";
import { Preemptions } from "./preemptions.ts";
import { QueueCancels } from "./queue-cancels.ts";
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
export type { JobObserver, LostAttempt } from "./job-changes.ts";
export type { GivenCommand } from "./lifecycle.ts";
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
  /** Whether urgent trainings make others give way. */
  readonly mayPreempt: boolean;
}

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
  readonly #monitor: Monitor;

  constructor(parts: QueueRoomParts) {
    const { database, bus, now, log, executor, checkSeries, content, maxFileBytes } = parts;
    const store = new QueueStore(database);
    const changes = new JobChanges(store);
    const lifecycle = new JobLifecycle(store, changes, now);
    const losses = new LostAttempts(store, changes, now);
    const taker = new EventTaker(database, store, now);
    const board = new CommandBoard(store);
    const { machine, maxRunningPerPerson, mayPreempt, audit } = parts;
    const planner = new Planner({ store, machine, maxRunningPerPerson, mayPreempt, now });
    const preemptions = new Preemptions({ store, changes, board, audit, log, now });
    const scheduler = new Scheduler({
      ...{ store, lifecycle, changes, losses, preemptions, executor, planner, log },
    });
    const viewer = new QueueViewer({
      ...{ store, planner, now },
      obstacle: () => executor.unavailable(),
    });
    const orders = new QueueOrders({ store, changes, planner, audit });
    const cancels = new QueueCancels({ store, lifecycle, audit });
    const service = new QueueService({
      ...{ store, lifecycle, scheduler, taker, board, executor, bus, checkSeries },
      ...{ content, maxFileBytes, now, viewer, orders, cancels },
    });
    taker.register(
      queueSink(statementMaker(database.engine), {
        jobTouched: (jobId) => service.jobTouched(jobId),
        attemptEnded: () => scheduler.kick(),
        retryOf: (jobId, attempt, exit) => losses.retryOf(jobId, attempt, exit),
        commandAcked: (commandId) => {
          service.commandAcked(commandId).catch((error: unknown) => {
            log.error({ error, command_id: commandId }, "A command's news were not told.");
          });
        },
      }),
    );
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
    this.#monitor = new Monitor({ store, lifecycle, losses, scheduler, executor, log, now });
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
  }

  /** Running attempts go on without us. */
  async stop(): Promise<void> {
    this.#board.close();
    await this.#monitor.stop();
    await this.#scheduler.stop();
  }
}
