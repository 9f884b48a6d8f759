// The compat room's door.
import { hostname } from "node:os";
import type { AuditRecorder } from "../../platform/audit.ts";
import type { Database } from "../../platform/db/database.ts";
import type { Log } from "../../platform/log.ts";
import type { Caller, Router } from "../../platform/route.ts";
import type { QueueService } from "../queue/index.ts";
import type { RunService } from "../runs/index.ts";
import { registerCompatRoutes } from "./routes.ts";
import { CompatService, type FolderOwner } from "./service.ts";
import { CompatStore } from "./store.ts";
import { streamedBy } from "./streamed-folders.ts";

export { migrations } from "./migrations.ts";

export interface CompatRoomParts {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly log: Log;
  /** Unix seconds. */
  readonly now: () => number;
  readonly queue: QueueService;
  readonly runs: RunService;
  /** The real path of a folder inside SPOTTER_DATA_ROOTS. Throws `path-not-allowed` and `path-not-found`. */
  readonly resolveFolder: (path: string) => Promise<string>;
  /** Throws `project-not-found`. */
  readonly requireProject: (id: number) => Promise<void>;
  readonly defaultProject: () => Promise<number>;
  /** Of silence, after which a run counts as over; 0: never. */
  readonly quietMinutes: number;
  /** Between two looks into a folder; shorter in tests. */
  readonly pollMs?: number;
}

const POLL_MS = 2000;

/** TensorBoard folders that the server follows. */
export class CompatRoom {
  readonly service: CompatService;
  readonly #parts: CompatRoomParts;

  constructor(parts: CompatRoomParts) {
    const { database, audit, log, now, queue, runs, resolveFolder, pollMs = POLL_MS } = parts;
    this.#parts = parts;
    this.service = new CompatService({
      ...{ audit, log, now, resolveFolder, pollMs, store: new CompatStore(database) },
      quietMinutes: parts.quietMinutes,
      openRun: async ({ projectId, name, clientId, owner }) => {
        const wish = { project_id: projectId, name, client_id: clientId };
        const rest = { source: "tensorboard" as const, config: {}, tags: [], note: "" };
        const run = await runs.create({ ...wish, ...rest }, callerOf(owner), "");
        return run.id;
      },
      streamedBy: async (path) =>
        streamedBy(await runs.openOf("tensorboard"), path, hostname(), now()),
      takeEvents: async (runId, projectId, batch) => {
        const identity = { jobId: runId, projectId, kind: "external" as const, attempt: 0 };
        await queue.takeEvents(identity, batch);
      },
    });
  }

  registerRoutes(router: Router): void {
    const { requireProject, defaultProject } = this.#parts;
    registerCompatRoutes(router, { compat: this.service, requireProject, defaultProject });
  }

  /** Goes on with every folder. */
  start(): void {
    const { log } = this.#parts;
    this.service.start().catch((error: unknown) => {
      log.error({ error }, "The TensorBoard folders could not be read; none is followed.");
    });
  }

  stop(): Promise<void> {
    return this.service.stop();
  }
}

/** The run is made on behalf of whoever added the folder, whose role was checked then. */
function callerOf(owner: FolderOwner): Caller {
  return {
    userId: owner.id ?? 0,
    userName: owner.name ?? "",
    isAdmin: false,
    via: "session",
    roles: new Map(),
    credentialId: 0,
  };
}
