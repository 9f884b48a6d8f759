// Follows one TensorBoard folder: looks every few seconds, hands new points over, and after any failure begins again from
// what is stored.
import { createHash } from "node:crypto";
import * as filePromises from "node:fs/promises";
import path from "node:path";
import {
  deliverPending,
  deliverTensorboardItems,
  type EventBatchInput,
  endTensorboardRun,
  isQuietTensorboardRun,
  newTensorboardRecord,
  type TensorboardPorts,
} from "@spotter/contract";
import {
  type LogdirCursor,
  LogdirFollower,
  nodeEventFileSystem,
  type RunCursor,
  type RunUpdate,
} from "@spotter/tfevents";
import { SpotterError } from "../../platform/errors.ts";
import type { Log } from "../../platform/log.ts";
import type { CompatStore, FolderRow, FollowedRecord } from "./store.ts";

export interface FollowedFolderParts {
  readonly folder: FolderRow;
  readonly store: CompatStore;
  readonly log: Log;
  readonly now: () => number;
  readonly pollMs: number;
  /** Of silence, after which a run counts as over; 0: never. */
  readonly quietMinutes: number;
  /** Throws `path-not-allowed` and `path-not-found`. */
  readonly resolveFolder: (path: string) => Promise<string>;
  /** Makes the run, or finds it by its client id. */
  readonly openRun: (wish: { name: string; clientId: string }) => Promise<number>;
  readonly takeEvents: (runId: number, batch: EventBatchInput) => Promise<void>;
}

export class FollowedFolder {
  readonly #parts: FollowedFolderParts;
  readonly #stopped = new AbortController();
  readonly #records = new Map<string, FollowedRecord>();
  readonly #heardAt = new Map<string, number>();
  /** Folders that the rooms below refuse for good, until the server starts again. */
  readonly #refused = new Map<string, string>();
  #follower: LogdirFollower | null = null;
  #isCaughtUp = false;
  #problem: string | null = null;
  #told: string;
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: FollowedFolderParts) {
    this.#parts = parts;
    this.#told = `${parts.folder.state} ${parts.folder.message}`;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Resolves when nothing of it is under way any more. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { log, folder, pollMs } = this.#parts;
    while (!this.#stopped.signal.aborted) {
      try {
        await this.#look();
      } catch (error) {
        // Whatever was under way is stored: read it again, and hand it over under the same numbers.
        this.#follower = null;
        log.warn(
          { error, tensorboard_folder: folder.id },
          "A TensorBoard folder was not followed.",
        );
      }
      await pause(pollMs, this.#stopped.signal);
    }
  }

  async #look(): Promise<void> {
    const { folder, resolveFolder } = this.#parts;
    try {
      // Each time: a link may have been put in its place meanwhile.
      if ((await resolveFolder(folder.asked_path)) !== folder.path)
        return this.#tell("failed", "The path leads to another folder now.");
    } catch (error) {
      if (!(error instanceof SpotterError)) throw error;
      this.#follower = null;
      const state = error.code === "path-not-found" ? "missing" : "failed";
      return this.#tell(state, error.message);
    }
    this.#follower ??= await this.#open();
    for await (const update of this.#follower.poll()) {
      if (this.#stopped.signal.aborted) return;
      await this.#take(this.#follower, update);
    }
    this.#isCaughtUp = true;
    await this.#endQuietRuns();
    const [refusal] = this.#refused;
    const refused = refusal === undefined ? null : `${refusal[0]}: ${refusal[1]}`;
    await this.#tell("following", refused ?? this.#problem);
  }

  /** Where the last follower ended, be it of this server or of one that was killed. */
  async #open(): Promise<LogdirFollower> {
    const { folder, store } = this.#parts;
    const cursor: LogdirCursor = {};
    this.#isCaughtUp = false;
    for (const run of await store.runs(folder.id)) {
      this.#records.set(run.folder, run.record);
      if (!this.#refused.has(run.folder))
        await this.#attempt(run.folder, (record, ports) => deliverPending(record, ports));
      const resumed = this.#records.get(run.folder)?.cursor ?? null;
      if (resumed !== null) cursor[run.folder] = resumed;
    }
    const fileSystem = nodeEventFileSystem(filePromises);
    return new LogdirFollower({ fileSystem, logdir: folder.path, cursor });
  }

  async #take(follower: LogdirFollower, { run, items }: RunUpdate): Promise<void> {
    const problem = items.find((item) => item.kind === "problem");
    if (problem?.kind === "problem") this.#problem = `${problem.file}: ${problem.message}`;
    if (this.#refused.has(run)) return;
    const now = this.#parts.now();
    const cursor = follower.cursorOf(run);
    await this.#attempt(run, (record, ports) =>
      deliverTensorboardItems(record, items, cursor, now, ports),
    );
    const lastTime = this.#records.get(run)?.progress.last_time ?? now;
    // What is read at the beginning may be old; only what comes later shows that somebody writes.
    this.#heardAt.set(run, this.#isCaughtUp ? now : lastTime);
  }

  async #endQuietRuns(): Promise<void> {
    const now = this.#parts.now();
    const { quietMinutes } = this.#parts;
    for (const [run, { progress }] of this.#records) {
      const heardAt = this.#heardAt.get(run) ?? progress.last_time;
      if (this.#refused.has(run) || !isQuietTensorboardRun(progress, heardAt, now, quietMinutes))
        continue;
      await this.#attempt(run, (record, ports) => endTensorboardRun(record, now, ports));
    }
  }

  /** What is refused for good (a deleted run) stops one run; what may pass begins the whole look again. */
  async #attempt(
    run: string,
    work: (record: FollowedRecord, ports: TensorboardPorts<RunCursor>) => Promise<FollowedRecord>,
  ): Promise<void> {
    const record = this.#records.get(run) ?? newTensorboardRecord<RunCursor>();
    try {
      this.#records.set(run, await work(record, this.#portsOf(run)));
    } catch (error) {
      if (!(error instanceof SpotterError) || error.status >= 500) throw error;
      this.#refused.set(run, error.message);
    }
  }

  #portsOf(run: string): TensorboardPorts<RunCursor> {
    const { folder, store, openRun, takeEvents } = this.#parts;
    return {
      save: (record) => store.saveRun(folder.id, run, record),
      openRun: () =>
        openRun({ name: runNameOf(folder.path, run), clientId: clientIdOf(folder.id, run) }),
      send: takeEvents,
    };
  }

  async #tell(state: FolderRow["state"], message: string | null): Promise<void> {
    const news = `${state} ${message}`;
    if (news === this.#told) return;
    await this.#parts.store.setState(this.#parts.folder.id, state, message);
    this.#told = news;
  }
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

/** Folder ids are never given out twice, so a folder that is followed anew gets new runs. */
function clientIdOf(folderId: number, run: string): string {
  return `tensorboard-${folderId}-${createHash("sha256").update(run).digest("hex").slice(0, 32)}`;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });
}
