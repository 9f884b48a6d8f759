// Streams a TensorBoard log directory to the server: each folder with event files becomes a live run. Tells what happens
// through `Teller`; knows no terminal.
import * as filePromises from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { ApiError, type HttpClient, sendBatch, startRun } from "@spotter/client";
import {
  deliverPending,
  deliverTensorboardItems,
  type EventBatchInput,
  endTensorboardRun,
  greetTensorboardRun,
  isQuietTensorboardRun,
  type TensorboardPorts,
} from "@spotter/contract";
import {
  type LogdirCursor,
  LogdirFollower,
  nodeEventFileSystem,
  type RunCursor,
  type RunItem,
  type RunUpdate,
} from "@spotter/tfevents";
import type { FolderRecord, StateFolder } from "./state-folder.ts";

export interface Teller {
  runOpened(folder: string, runId: number): void;
  pointsSent(folder: string, count: number): void;
  /** A kind of content that is recognised and not stored; once each. */
  skipped(content: string): void;
  problem(folder: string, message: string): void;
  retrying(cause: unknown, waitMs: number): void;
}

export interface StreamerOptions {
  client: HttpClient;
  /** Absolute. */
  logdir: string;
  projectId: number | undefined;
  state: StateFolder;
  teller: Teller;
  signal: AbortSignal;
  /** Of silence, after which a run counts as over; 0: never. */
  quietMinutes: number;
}

/** After ten minutes without a word the server takes a follower for gone and offers its folder to others. */
const GREET_EVERY_S = 240;

export class LogdirStreamer {
  readonly #options: StreamerOptions;
  readonly #follower: LogdirFollower;
  readonly #toldKinds = new Set<string>();
  readonly #failed = new Set<string>();
  readonly #heardAt = new Map<string, number>();
  /** When each run's server last heard from us. */
  readonly #toldAt = new Map<string, number>();
  #isCaughtUp = false;

  /** @param cursor of the records, after `resume` */
  private constructor(options: StreamerOptions, cursor: LogdirCursor) {
    this.#options = options;
    const fileSystem = nodeEventFileSystem(filePromises);
    this.#follower = new LogdirFollower({ fileSystem, logdir: options.logdir, cursor });
  }

  /** Goes on where an earlier streamer of the same state ended. */
  static async open(options: StreamerOptions): Promise<LogdirStreamer> {
    const cursor: LogdirCursor = {};
    for (const { folder, record } of options.state.load()) {
      const resumed = await deliverPending(record, portsOf(options, folder));
      if (resumed.cursor !== null) cursor[folder] = resumed.cursor;
    }
    return new LogdirStreamer(options, cursor);
  }

  /** Looks once and sends everything that is new. */
  async poll(): Promise<void> {
    for await (const update of this.#follower.poll()) {
      this.#options.signal.throwIfAborted();
      this.#tell(update);
      if (!this.#failed.has(update.run)) await this.#deliver(update);
    }
    this.#isCaughtUp = true;
  }

  /** Ends runs that have been silent for long, or with `all` every one. */
  async endQuietRuns(all: boolean): Promise<void> {
    const now = Date.now() / 1000;
    const { state, quietMinutes } = this.#options;
    for (const { folder, record } of state.all()) {
      const heardAt = this.#heardAt.get(folder) ?? record.progress.last_time;
      const isOver = all || isQuietTensorboardRun(record.progress, heardAt, now, quietMinutes);
      if (this.#failed.has(folder) || !isOver) continue;
      await this.#attempt(folder, (ports) => endTensorboardRun(record, now, ports));
    }
  }

  /** Tells the server of each open run that it is still followed. */
  async greetIdleRuns(): Promise<void> {
    const now = Date.now() / 1000;
    for (const { folder, record } of this.#options.state.all()) {
      const toldAt = this.#toldAt.get(folder) ?? 0;
      if (this.#failed.has(folder) || now - toldAt < GREET_EVERY_S) continue;
      this.#toldAt.set(folder, now);
      await this.#attempt(folder, (ports) => greetTensorboardRun(record, now, ports));
    }
  }

  async #deliver({ run: folder, items }: RunUpdate): Promise<void> {
    const { state, teller } = this.#options;
    const now = Date.now() / 1000;
    const cursor = this.#follower.cursorOf(folder);
    const { record } = state.of(folder);
    const isSent = await this.#attempt(folder, (ports) =>
      deliverTensorboardItems<RunCursor>(record, items, cursor, now, ports),
    );
    if (!isSent) return;
    this.#toldAt.set(folder, now);
    // What is read at the beginning may be old; only what comes later shows that somebody writes.
    const lastTime = state.of(folder).record.progress.last_time;
    this.#heardAt.set(folder, this.#isCaughtUp ? now : lastTime);
    const count = numPointsOf(items);
    if (count > 0) teller.pointsSent(folder, count);
  }

  /** What the server refuses for good stops one folder, not the others. */
  async #attempt(
    folder: string,
    work: (ports: TensorboardPorts<RunCursor>) => Promise<FolderRecord>,
  ): Promise<boolean> {
    try {
      await work(portsOf(this.#options, folder));
      return true;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 401) throw error;
      this.#failed.add(folder);
      this.#options.teller.problem(folder, `${error.message} (${error.code})`);
      return false;
    }
  }

  #tell({ run: folder, items }: RunUpdate): void {
    const { teller } = this.#options;
    for (const item of items) {
      if (item.kind === "problem") teller.problem(folder, `${item.file}: ${item.message}`);
      if (item.kind !== "skipped" || this.#toldKinds.has(item.content)) continue;
      this.#toldKinds.add(item.content);
      teller.skipped(item.content);
    }
  }
}

function portsOf(options: StreamerOptions, folder: string): TensorboardPorts<RunCursor> {
  const { client, state, projectId, teller, signal } = options;
  return {
    save: async (record) => state.save(folder, record),
    openRun: async () => {
      const run = await startRun(client, {
        name: runNameOf(options.logdir, folder),
        source: "tensorboard",
        client_id: state.of(folder).client_id,
        config: { tensorboard: { host: hostname(), logdir: options.logdir, folder } },
        ...(projectId === undefined ? {} : { project_id: projectId }),
      });
      teller.runOpened(folder, run.id);
      return run.id;
    },
    send: async (runId, batch) => {
      const onRetry = teller.retrying.bind(teller);
      await sendBatch(client, runId, batch as EventBatchInput, { signal, onRetry });
    },
  };
}

function runNameOf(logdir: string, folder: string): string {
  const name = path.basename(logdir) || "tensorboard";
  const full = folder === "." ? name : `${name}/${folder}`;
  return (
    full
      .replace(/\p{Cc}/gu, " ")
      .slice(-200)
      .trim() || "tensorboard"
  );
}

function numPointsOf(items: readonly RunItem[]): number {
  let count = 0;
  for (const item of items) if (item.kind === "scalars") count += item.step.length;
  return count;
}
