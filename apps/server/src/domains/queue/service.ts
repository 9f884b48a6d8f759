// What the queue decides: who gets in, what is told to workers, when a caller's wait for a job is over.
import { randomUUID } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import {
  type CancelQueuedAnswer,
  type EventBatch,
  type EventReceipt,
  FINAL_STATES,
  type Job,
  type JobSpec,
  type JobState,
  type QueueView,
  type ResourceWish,
  type RunCommand,
} from "@spotter/contract";
import type { Transaction } from "kysely";
import type { Bus } from "../../platform/bus.ts";
import type { ContentStore, StoredContent } from "../../platform/content-store.ts";
import type { AnyTables } from "../../platform/db/database.ts";
import { invalidRequest, SpotterError } from "../../platform/errors.ts";
import type { Log } from "../../platform/log.ts";
import { detachedBody } from "../../platform/request-body.ts";
import type { Caller } from "../../platform/route.ts";
import type { AttemptIdentity } from "./attempt-tokens.ts";
import type { SeriesCheck } from "./batch-parser.ts";
import { batchParser } from "./batch-parser.ts";
import { Bells } from "./bells.ts";
import type { CommandBoard } from "./command-board.ts";
import type { CommandsStore } from "./commands-store.ts";
import { executorUnavailable, jobNotFound } from "./errors.ts";
import type { Executor } from "./executor.ts";
import type { FileFetcher } from "./file-fetcher.ts";
import type { GivenCommand, JobLifecycle, Submission } from "./lifecycle.ts";
import type { QueueCancels } from "./queue-cancels.ts";
import type { QueueOrders } from "./queue-orders.ts";
import type { QueueViewer } from "./queue-view.ts";
import { type Scheduler, specOf } from "./scheduler.ts";
import type { QueueStore } from "./store.ts";
import type { JobCommandRow, JobRow, QueueTables, Restart } from "./tables.ts";
import type { EventTaker } from "./take-events.ts";
import { toCommand, toJob } from "./views.ts";

const MAX_REMEMBERED = 10_000;
const LIGHT_KINDS: ReadonlySet<string> = new Set(["predict", "preflight"]);
/** Of one person. */
const MAX_WAITING_LIGHT = 20;
const RETRY_LIGHT_S = 10;
/** A name that the file system refuses: a folder or a file stands there already, or it has too many bytes. */
const NO_PLACE: ReadonlySet<string> = new Set(["EISDIR", "ENOTDIR", "EEXIST", "ENAMETOOLONG"]);

export interface QueueServiceParts {
  readonly store: QueueStore;
  readonly commands: CommandsStore;
  readonly lifecycle: JobLifecycle;
  readonly scheduler: Scheduler;
  readonly viewer: QueueViewer;
  readonly orders: QueueOrders;
  readonly cancels: QueueCancels;
  readonly taker: EventTaker;
  readonly board: CommandBoard;
  readonly executor: Executor;
  readonly fetcher: FileFetcher;
  readonly runDir: (jobId: number) => string;
  readonly log: Log;
  readonly bus: Bus;
  readonly checkSeries: SeriesCheck;
  readonly content: ContentStore;
  readonly maxFileBytes: number;
  readonly now: () => number;
}

export class QueueService {
  readonly #parts: QueueServiceParts;
  readonly #parse: ReturnType<typeof batchParser>;
  readonly #bells = new Bells();
  readonly #scriptAttempts = new Map<number, number>();

  constructor(parts: QueueServiceParts) {
    this.#parts = parts;
    this.#parse = batchParser(parts.checkSeries);
  }

  /** Throws `executor-unavailable` where nothing could ever start. */
  requireExecutor(): void {
    const obstacle = this.#parts.executor.unavailable();
    if (obstacle !== null) throw executorUnavailable(obstacle);
  }

  /** Throws `too-many-requests`: each kind of light job has one place, and whoever fills its queue stops everybody's predictions. */
  async requireLightRoom(ownerId: number | null): Promise<void> {
    const waiting = await this.#parts.store.jobsInStates(["queued"]);
    const own = waiting.filter((job) => LIGHT_KINDS.has(job.kind) && job.owner_id === ownerId);
    if (own.length >= MAX_WAITING_LIGHT)
      throw new SpotterError(
        "too-many-requests",
        `${own.length} predictions and pre-flights of yours wait already; let some end, or cancel them.`,
        { details: { retry_after_s: RETRY_LIGHT_S } },
      );
  }

  /** Inside the caller's transaction; call `kick` after its commit. @returns the job's id */
  submit(transaction: Transaction<AnyTables>, submission: Submission): Promise<number> {
    return this.#parts.lifecycle.submit(transaction, submission);
  }

  /** Looks for something to start. */
  kick(): void {
    this.#parts.scheduler.kick();
  }

  /** Where the server keeps a job's files; `filesAt` says whether they are all there. */
  runDir(jobId: number): string {
    return this.#parts.runDir(jobId);
  }

  /**
   * Waits until what the job's worker told of under this path of the run folder is on the server's disk.
   * Throws `executor-unavailable` where it is still on a machine that does not answer.
   */
  filesAt(jobId: number, relative: string): Promise<void> {
    return this.#parts.fetcher.require(jobId, relative);
  }

  /** Everything that is kept of a job's files, here and wherever it ran. */
  async removeFiles(jobId: number): Promise<void> {
    const { executor, log, runDir } = this.#parts;
    await rm(runDir(jobId), { recursive: true, force: true });
    await executor.files?.forget(jobId).catch((error: unknown) => {
      log.warn({ error, job_id: jobId }, "A removed job's files stay on the machine that ran it.");
    });
  }

  /** What the attempt's worker is to do; its paths are the server's own. */
  async spec(jobId: number, attempt: number): Promise<JobSpec> {
    const { executor } = this.#parts;
    return specOf(await this.jobRow(jobId), attempt, executor.machine()?.cpuCores);
  }

  /** The row, for the rooms above; throws `job-not-found`. */
  async jobRow(jobId: number): Promise<JobRow> {
    const row = await this.#parts.store.job(jobId);
    if (row === undefined) throw jobNotFound(jobId);
    return row;
  }

  findJob(jobId: number): Promise<JobRow | undefined> {
    return this.#parts.store.job(jobId);
  }

  async job(jobId: number): Promise<Job> {
    const row = await this.jobRow(jobId);
    return toJob(row, await this.#parts.store.attempts(jobId));
  }

  queue(caller: Caller): Promise<QueueView> {
    return this.#parts.viewer.view(caller);
  }

  async reorder(jobIds: readonly number[], caller: Caller, address: string): Promise<QueueView> {
    await this.#parts.orders.reorder(jobIds, caller, address);
    this.kick();
    return this.queue(caller);
  }

  async cancel(
    jobIds: readonly number[],
    caller: Caller,
    address: string,
  ): Promise<CancelQueuedAnswer> {
    const results = await this.#parts.cancels.cancel(jobIds, caller, address);
    this.kick();
    return { results, queue: await this.queue(caller) };
  }

  async setPriority(
    jobId: number,
    priority: number,
    caller: Caller,
    address: string,
  ): Promise<Job> {
    await this.#parts.orders.setPriority(await this.jobRow(jobId), priority, caller, address);
    this.kick();
    return this.job(jobId);
  }

  /** Before a training is made: throws `priority-not-allowed` and `resources-not-there`. */
  requireAllowed(
    wish: { readonly priority: number; readonly resources: ResourceWish },
    config: Readonly<Record<string, unknown>>,
    projectId: number,
    caller: Caller,
  ): void {
    const { orders } = this.#parts;
    const row = { project_id: projectId, owner_id: caller.userId, state: "queued" as const };
    orders.requirePriority(row, wish.priority, caller);
    orders.requireFits(wish.resources, config);
  }

  /** One batch of a worker or supervisor, or of an own script. */
  async takeEvents(identity: AttemptIdentity, body: unknown): Promise<EventReceipt> {
    const batch = this.#parse(body);
    if (identity.kind === "external") await this.#admitScript(identity.jobId, batch);
    else if (batch.attempt !== identity.attempt) {
      throw invalidRequest([
        { path: "body.attempt", message: `the token belongs to attempt ${identity.attempt}` },
      ]);
    }
    return this.#parts.taker.take(identity, batch);
  }

  async #admitScript(jobId: number, batch: EventBatch): Promise<void> {
    if (batch.source !== "worker")
      throw invalidRequest([{ path: "body.source", message: "a script is always `worker`" }]);
    if (this.#scriptAttempts.get(jobId) === batch.attempt) return;
    const { current_attempt: current } = await this.jobRow(jobId);
    // A script that was started again counts itself up.
    if (batch.attempt === current + 1 && batch.seq === 1)
      await this.#parts.lifecycle.reopenExternal(jobId, batch.attempt);
    else if (batch.attempt > current)
      throw invalidRequest([
        { path: "body.attempt", message: `the next attempt is ${current + 1}, from seq 1 on` },
      ]);
    if (this.#scriptAttempts.size >= MAX_REMEMBERED) this.#scriptAttempts.clear();
    // Only saves the look: a batch of an attempt that is over does not pass the guard.
    this.#scriptAttempts.set(jobId, batch.attempt);
  }

  /** A worker's file; the same one again changes nothing. */
  async takeFile(jobId: number, sha256: string, body: Readable): Promise<StoredContent> {
    const { content, store, maxFileBytes, now } = this.#parts;
    const stored = await content.put(detachedBody(body), {
      maxBytes: maxFileBytes,
      expectedSha256: sha256,
    });
    await store.insertFile(jobId, stored.sha256, stored.size, now());
    return stored;
  }

  /** A file for the run's own folder; the same path again replaces it. */
  async takeRunFile(jobId: number, relative: string, body: Readable): Promise<StoredContent> {
    const { content, maxFileBytes } = this.#parts;
    const stored = await content.put(detachedBody(body), { maxBytes: maxFileBytes });
    const file = path.join(this.runDir(jobId), relative);
    // Beside and renamed: whoever reads meanwhile, or puts the same path, finds a whole file.
    const beside = path.join(path.dirname(file), `.${randomUUID()}.tmp`);
    try {
      await content.linkTo(stored.sha256, beside);
      await rename(beside, file);
    } catch (error) {
      if (!NO_PLACE.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
      throw invalidRequest([
        { path: "query.path", message: "is too long, or a file and a folder would share a name" },
      ]);
    } finally {
      await removeIfThere(beside);
    }
    return stored;
  }

  async commands(jobId: number): Promise<RunCommand[]> {
    return (await this.#parts.commands.ofJob(jobId)).map(toCommand);
  }

  /** Which of these went back to a checkpoint by a `revert` and have begun no attempt since. */
  wentBack(jobIds: readonly number[]): ReturnType<CommandsStore["wentBack"]> {
    return this.#parts.commands.wentBack(jobIds);
  }

  /** By job, in one query; a job that was given none is not there. */
  async commandsOf(jobIds: readonly number[]): Promise<Map<number, RunCommand[]>> {
    const byJob = new Map<number, RunCommand[]>();
    if (jobIds.length === 0) return byJob;
    for (const row of await this.#parts.commands.ofJobs(jobIds)) {
      const commands = byJob.get(row.job_id) ?? [];
      commands.push(toCommand(row));
      byJob.set(row.job_id, commands);
    }
    return byJob;
  }

  /** Sends a command to the job's running attempt; it is with the worker at once. @returns null when that has ended */
  async sendCommand(job: JobRow, given: GivenCommand): Promise<RunCommand | null> {
    const row = await this.#parts.lifecycle.insertCommand(job, given);
    if (row === null) return null;
    this.#parts.board.wake(job.id);
    return this.#tellCommand(job, row);
  }

  /** Goes back to a checkpoint: a job that has ended is queued from there. @returns null when it has not ended */
  async revertEnded(
    job: JobRow,
    from: readonly JobState[],
    given: GivenCommand & { readonly restart: Restart },
  ): Promise<RunCommand | null> {
    const row = await this.#parts.lifecycle.requeueReverted(job, from, given);
    if (row === null) return null;
    this.kick();
    return this.#tellCommand(job, row);
  }

  async commandAcked(commandId: number): Promise<void> {
    const row = await this.#parts.commands.one(commandId);
    if (row !== undefined) this.#tellCommand(await this.jobRow(row.job_id), row);
  }

  #tellCommand({ id, project_id }: JobRow, row: JobCommandRow): RunCommand {
    const command = toCommand(row);
    this.#parts.bus.publish({ type: "command-changed", run_id: id, command, project_id });
    return command;
  }

  cancelQueued(jobId: number): Promise<boolean> {
    return this.#parts.lifecycle.cancelQueued(jobId);
  }

  /** Takes no more from an own script. @returns false when it has ended meanwhile */
  endExternal(jobId: number): Promise<boolean> {
    return this.#parts.lifecycle.endExternal(jobId);
  }

  rename(transaction: Transaction<AnyTables>, jobId: number, name: string): Promise<void> {
    return this.#parts.store.rename(transaction.withTables<QueueTables>(), jobId, name);
  }

  /** Ends the process at once, unsaved. */
  killNow(jobId: number): Promise<void> {
    return this.#parts.lifecycle.killNow(jobId);
  }

  /** Predictions and pre-flights whose processes ended within this time. */
  endedLightJobs(after: number, before: number): Promise<number[]> {
    return this.#parts.store.endedBetween(["predict", "preflight"], after, before);
  }

  /** Whether all processes of the job's attempts are gone. */
  async isAtRest(jobId: number): Promise<boolean> {
    return (await this.#parts.store.attempts(jobId)).every(({ state }) => state === "ended");
  }

  async requeue(jobId: number, resumeFrom: string | null): Promise<boolean> {
    const queued = await this.#parts.lifecycle.requeue(jobId, resumeFrom, FINAL_STATES);
    if (queued) this.kick();
    return queued;
  }

  /** Called whenever something about the job was committed. */
  jobTouched(jobId: number): void {
    this.#bells.ring(jobId);
  }

  /** @returns the job's row once it has ended, or null when that takes too long */
  async waitForEnd(jobId: number, timeoutMs: number): Promise<JobRow | null> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const bell = this.#bells.listen(jobId);
      const row = await this.jobRow(jobId);
      const remainingMs = deadline - performance.now();
      if (FINAL_STATES.includes(row.state) || remainingMs <= 0) {
        bell.cancel();
        return FINAL_STATES.includes(row.state) ? row : null;
      }
      await bell.rung(remainingMs);
    }
  }
}

async function removeIfThere(file: string): Promise<void> {
  await rm(file, { force: true }).catch((error: NodeJS.ErrnoException) => {
    // Below a file there is nothing to remove.
    if (error.code !== "ENOTDIR") throw error;
  });
}
