// The models room's door.
import type { AuditRecorder } from "../../platform/audit.ts";
import type { ContentStore } from "../../platform/content-store.ts";
import type { Database } from "../../platform/db/database.ts";
import { statementMaker } from "../../platform/db/statement.ts";
import type { Log } from "../../platform/log.ts";
import type { Outbox, OutboxPayload } from "../../platform/outbox.ts";
import type { Router } from "../../platform/route.ts";
import type { Sink } from "../../platform/sink.ts";
import type { QueueService } from "../queue/index.ts";
import type { RunsRoom } from "../runs/index.ts";
import { Purge } from "./purge.ts";
import { registerModelRoutes } from "./routes.ts";
import { ModelService } from "./service.ts";
import { modelsSink } from "./sink.ts";
import { Staging } from "./staging.ts";
import { ModelsStore } from "./store.ts";
import { VersionList } from "./version-list.ts";
import { WeightsKeeper } from "./weights-keeper.ts";

export { migrations } from "./migrations.ts";

/** Weights wait to be kept apart from their run: payload `{run_id, sha256}`. */
const WEIGHTS_REGISTERED = "model-weights-registered";

export interface ModelsRoomParts {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly content: ContentStore;
  readonly log: Log;
  /** Unix seconds. */
  readonly now: () => number;
  /** The data folder. */
  readonly home: string;
  readonly queue: QueueService;
  readonly runs: Pick<RunsRoom, "service" | "predictions">;
  readonly audit: AuditRecorder;
}

/** Model versions and their files. `sink` is to be registered with the queue after the runs room's. */
export class ModelsRoom {
  readonly service: ModelService;
  readonly sink: Sink;
  readonly #store: ModelsStore;
  readonly #runs: ModelsRoomParts["runs"]["service"];
  readonly #purge: Purge;

  constructor(parts: ModelsRoomParts) {
    const { database, outbox, content, log, now, home, queue, runs, audit } = parts;
    const statement = statementMaker(database.engine);
    const store = new ModelsStore(database);
    const keeper = new WeightsKeeper({ store, content, home, queue, log });
    this.service = new ModelService({
      ...{ store, keeper, statement, audit, now },
      list: new VersionList(database),
      staging: new Staging({ store, audit, now }),
      runs: runs.service,
      predictions: runs.predictions,
      keepLater: (transaction, runId, sha256) =>
        outbox.enqueue(transaction, WEIGHTS_REGISTERED, { run_id: runId, sha256 }),
      kickOutbox: () => outbox.kick(),
    });
    this.sink = modelsSink({
      statement,
      runs: runs.service,
      keepLater: (runId, sha256) => outbox.statement(WEIGHTS_REGISTERED, { run_id: runId, sha256 }),
      afterCommit: () => outbox.kick(),
    });
    outbox.handle(WEIGHTS_REGISTERED, (payload: OutboxPayload) => {
      const { run_id: runId, sha256 } = payload as { run_id: number; sha256: string };
      return keeper.keep(runId, sha256);
    });
    this.#store = store;
    this.#runs = runs.service;
    this.#purge = new Purge({ store, keeper, log, now });
  }

  /** For the content store's collector. */
  readonly referenced = (sha256s: readonly string[]) => this.#store.referenced(sha256s);

  /** Runs that must not be purged yet: their folder is the only place of some version's weights. */
  readonly holding = (runIds: readonly number[]) => this.#store.holding(runIds);

  registerRoutes(router: Router): void {
    registerModelRoutes({ router, models: this.service, store: this.#store, runs: this.#runs });
  }

  start(): void {
    this.#purge.start();
  }

  stop(): Promise<void> {
    return this.#purge.stop();
  }
}
