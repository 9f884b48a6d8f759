// Decisions about followed TensorBoard folders: who may add which, and which loops are running.
import { stat } from "node:fs/promises";
import type { EventBatchInput, TensorboardFolder } from "@spotter/contract";
import type { AuditRecorder } from "../../platform/audit.ts";
import { SpotterError } from "../../platform/errors.ts";
import type { Log } from "../../platform/log.ts";
import type { Caller } from "../../platform/route.ts";
import { FollowedFolder } from "./followed-folder.ts";
import type { CompatStore, FolderRow } from "./store.ts";

/** Who a followed run belongs to: the person who added its folder. */
export interface FolderOwner {
  readonly id: number | null;
  readonly name: string | null;
}

export interface CompatServiceParts {
  readonly store: CompatStore;
  readonly audit: AuditRecorder;
  readonly log: Log;
  /** Unix seconds. */
  readonly now: () => number;
  /** Between two looks into a folder. */
  readonly pollMs: number;
  /** Of silence, after which a run counts as over; 0: never. */
  readonly quietMinutes: number;
  /** The real path of a folder inside SPOTTER_DATA_ROOTS. Throws `path-not-allowed` and `path-not-found`. */
  readonly resolveFolder: (path: string) => Promise<string>;
  /** The run by which a command line on this machine streams the folder now; null when none does. */
  readonly streamedBy: (path: string) => Promise<number | null>;
  /** Makes an external run of source `tensorboard`, or finds the one that was made with this client id. */
  readonly openRun: (wish: {
    readonly projectId: number;
    readonly name: string;
    readonly clientId: string;
    readonly owner: FolderOwner;
  }) => Promise<number>;
  /** The queue's door for own scripts' batches. */
  readonly takeEvents: (runId: number, projectId: number, batch: EventBatchInput) => Promise<void>;
}

export class CompatService {
  readonly #parts: CompatServiceParts;
  readonly #followed = new Map<number, FollowedFolder>();

  constructor(parts: CompatServiceParts) {
    this.#parts = parts;
  }

  /** Goes on with every folder where the last server ended. */
  async start(): Promise<void> {
    for (const folder of await this.#parts.store.folders()) this.#follow(folder);
  }

  async stop(): Promise<void> {
    const followed = [...this.#followed.values()];
    this.#followed.clear();
    await Promise.all(followed.map((folder) => folder.stop()));
  }

  async list(caller: Caller): Promise<TensorboardFolder[]> {
    const rows = await this.#parts.store.folders();
    const visible = rows.filter((row) => caller.isAdmin || caller.roles.has(row.project_id));
    return Promise.all(visible.map((row) => this.#view(row)));
  }

  /** Throws `folder-not-found`. */
  async require(folderId: number): Promise<FolderRow> {
    const row = await this.#parts.store.folder(folderId);
    if (row === undefined) throw new SpotterError("folder-not-found");
    return row;
  }

  async add(
    wish: { path: string; projectId: number },
    caller: Caller,
    address: string,
  ): Promise<TensorboardFolder> {
    const { store, now, resolveFolder, streamedBy } = this.#parts;
    const path = await resolveFolder(wish.path);
    if (!(await stat(path)).isDirectory())
      throw new SpotterError("path-not-found", "There is a file at this path; a folder is wanted.");
    const runId = await streamedBy(path);
    if (runId !== null)
      throw new SpotterError(
        "folder-taken",
        `A command line on this machine streams this folder already, as run ${runId}; end it there first.`,
        { details: { run_id: runId } },
      );
    const row = await store.addFolder({
      project_id: wish.projectId,
      asked_path: wish.path,
      path,
      created_at: now(),
      created_by: caller.userId,
      created_by_name: caller.userName,
      state: "following",
      message: null,
    });
    if (row === undefined) throw new SpotterError("folder-taken");
    await this.#record("tensorboard-folder-followed", row, caller, address);
    this.#follow(row);
    return this.#view(row);
  }

  async remove(row: FolderRow, caller: Caller, address: string): Promise<void> {
    const followed = this.#followed.get(row.id);
    this.#followed.delete(row.id);
    // First, so that nothing is written about a folder that is gone.
    await followed?.stop();
    await this.#parts.store.removeFolder(row.id);
    await this.#record("tensorboard-folder-unfollowed", row, caller, address);
  }

  #follow(row: FolderRow): void {
    const { store, log, now, pollMs, quietMinutes, resolveFolder, openRun, takeEvents } =
      this.#parts;
    const projectId = row.project_id;
    const owner = { id: row.created_by, name: row.created_by_name };
    const folder = new FollowedFolder({
      ...{ folder: row, store, log, now, pollMs, quietMinutes, resolveFolder },
      openRun: (wish) => openRun({ ...wish, projectId, owner }),
      takeEvents: (runId, batch) => takeEvents(runId, projectId, batch),
    });
    this.#followed.set(row.id, folder);
    folder.start();
  }

  async #view(row: FolderRow): Promise<TensorboardFolder> {
    const { id, project_id, path, created_at, created_by, state, message } = row;
    const runs = await this.#parts.store.runs(id);
    const skipped: Record<string, number> = {};
    for (const { record } of runs)
      for (const [kind, count] of Object.entries(record.progress.skipped))
        skipped[kind] = (skipped[kind] ?? 0) + count;
    return {
      ...{ id, project_id, path, created_at, created_by, state, message, skipped },
      runs: runs.flatMap(({ folder, record }) =>
        record.run_id === null ? [] : [{ folder, run_id: record.run_id }],
      ),
    };
  }

  async #record(action: string, row: FolderRow, caller: Caller, address: string): Promise<void> {
    await this.#parts.audit.record({
      userId: caller.userId,
      userName: caller.userName,
      action,
      subjectKind: "tensorboard-folder",
      subjectId: row.id,
      projectId: row.project_id,
      address,
      details: { path: row.path },
    });
  }
}
