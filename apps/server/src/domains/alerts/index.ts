// The alerts room's door.
import type { JobState } from "@spotter/contract";
import type { AuditRecorder } from "../../platform/audit.ts";
import type { Bus } from "../../platform/bus.ts";
import type { Database } from "../../platform/db/database.ts";
import { statementMaker } from "../../platform/db/statement.ts";
import type { Log } from "../../platform/log.ts";
import type { Outbox, OutboxPayload } from "../../platform/outbox.ts";
import type { Router } from "../../platform/route.ts";
import type { Sink } from "../../platform/sink.ts";
import type { MetricsRoom } from "../metrics/index.ts";
import type { JobObserver } from "../queue/index.ts";
import type { RunService } from "../runs/index.ts";
import { Courier } from "./courier.ts";
import { DeliveriesStore } from "./deliveries-store.ts";
import { Ledger } from "./ledger.ts";
import { PointWatcher } from "./point-watcher.ts";
import { registerAlertRoutes } from "./routes.ts";
import { RuleBook } from "./rule-book.ts";
import { AlertService } from "./service.ts";
import { SilenceWatcher } from "./silence-watcher.ts";
import { RUN_STATE_CHANGED, StateWatcher, statesObserver, statesSink } from "./state-watcher.ts";
import { AlertStore } from "./store.ts";
import type { AlertRow } from "./tables.ts";
import { AlertTargets } from "./targets.ts";
import { post } from "./tools/post.ts";
import { SealedBox } from "./tools/sealed-box.ts";

export { migrations } from "./migrations.ts";

export interface AlertsRoomParts {
  readonly database: Database;
  readonly bus: Bus;
  readonly outbox: Outbox;
  readonly log: Log;
  /** Unix seconds. */
  readonly now: () => number;
  readonly runs: RunService;
  readonly metrics: Pick<MetricsRoom, "service" | "observe">;
  readonly audit: AuditRecorder;
  readonly defaultProject: () => Promise<number>;
  readonly requireProject: (id: number) => Promise<void>;
  /** Seals addresses and secrets: 64 hexadecimal digits. */
  readonly sealingKey: string;
  readonly allowPrivateTargets: boolean;
  /** Where people reach this server. */
  readonly baseUrl: () => string;
  readonly version: string;
}

const RULES_POLL_MS = 2_000;

/** Rules and deliveries. `sink` and `observer` are to be registered with the queue after the runs room's. */
export class AlertsRoom {
  readonly sink: Sink;
  readonly observer: JobObserver;
  readonly #parts: AlertsRoomParts;
  readonly #store: AlertStore;
  readonly #book: RuleBook;
  readonly #points: PointWatcher;
  readonly #silence: SilenceWatcher;
  readonly #ledger: Ledger;
  readonly #courier: Courier;
  readonly #service: AlertService;
  readonly #targets: AlertTargets;
  #unsubscribe: () => void = () => undefined;
  #loadTimer: NodeJS.Timeout | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(parts: AlertsRoomParts) {
    const { database, bus, outbox, log, now, runs, metrics, audit } = parts;
    const store = new AlertStore(database);
    const deliveries = new DeliveriesStore(database);
    const box = new SealedBox(parts.sealingKey);
    const book = new RuleBook(store);
    const allowPrivate = parts.allowPrivateTargets;
    const courier = new Courier({
      ...{ store, deliveries, box, log, now, post, allowPrivate },
      ...{ baseUrl: parts.baseUrl, version: parts.version },
    });
    const kick = () => courier.kick();
    const ledger = new Ledger({ store, deliveries, bus, now, kick });
    const watching = { store, book, ledger, runs, log, now };
    const readAfter: PointReader = (...args) => metrics.service.readAfter(...args);
    const points = new PointWatcher({ ...watching, readAfter });
    const states = new StateWatcher(watching);
    outbox.handle(RUN_STATE_CHANGED, (payload: OutboxPayload) => {
      const { run_id: runId, state } = payload as { run_id: number; state: JobState | null };
      return states.judge(runId, state);
    });
    const silence = new SilenceWatcher(watching);
    metrics.observe((runId, commitNo, parsed) => {
      points.observe(runId, commitNo, parsed);
      silence.observe(runId);
    });
    this.sink = statesSink({ book, outbox, statement: statementMaker(database.engine) });
    this.observer = statesObserver({ book, outbox });
    this.#parts = parts;
    this.#store = store;
    this.#book = book;
    this.#points = points;
    this.#silence = silence;
    this.#courier = courier;
    this.#ledger = ledger;
    const rulesChanged = () => this.#reload();
    const tell = (closed: readonly AlertRow[]) => ledger.tell(closed);
    this.#service = new AlertService({ store, runs, audit, now, rulesChanged, tell });
    this.#targets = new AlertTargets({
      ...{ store, deliveries, courier, box, audit, now, allowPrivate },
    });
  }

  registerRoutes(router: Router): void {
    const { defaultProject, requireProject } = this.#parts;
    const [alerts, targets] = [this.#service, this.#targets];
    registerAlertRoutes({ router, alerts, targets, defaultProject, requireProject });
  }

  start(): void {
    this.#unsubscribe = this.#parts.bus.subscribe((event) => {
      if (event.type === "run-changed") this.#points.runChanged(event.run);
    });
    this.#courier.start();
    this.#silence.start();
    this.#begin();
    // A SQLite file has one server; beside a PostgreSQL there may be another one, where rules are changed too.
    if (this.#parts.database.engine !== "postgres") return;
    this.#lookTimer = setInterval(() => {
      this.#looking = this.#readIfBehind();
    }, RULES_POLL_MS);
    this.#lookTimer.unref();
  }

  /** A run was removed for good. */
  async forget(runId: number): Promise<void> {
    this.#points.forget(runId);
    const closing = { at: this.#parts.now(), why: "run-removed" as const };
    this.#ledger.tell(await this.#store.forgetRun(runId, closing));
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    clearTimeout(this.#loadTimer);
    clearInterval(this.#lookTimer);
    await this.#looking;
    await this.#silence.stop();
    await this.#points.stop();
    await this.#courier.stop();
  }

  // Until the rules are known, points wait to be looked at and states stay in the outbox.
  #begin(): void {
    this.#book
      .load()
      .then(() => this.#points.start())
      .catch((error: unknown) => {
        this.#parts.log.warn({ error }, "Alert rules could not be read; it is tried again.");
        this.#loadTimer = setTimeout(() => this.#begin(), 1_000);
      });
  }

  async #reload(): Promise<void> {
    await this.#book.load();
    this.#points.rulesChanged();
    this.#silence.rulesChanged();
  }

  /** Never rejects. */
  async #readIfBehind(): Promise<void> {
    try {
      if (await this.#book.isBehind()) await this.#reload();
    } catch (error) {
      this.#parts.log.warn({ error }, "Alert rules were not looked for; it is tried again.");
    }
  }
}

type PointReader = MetricsRoom["service"]["readAfter"];
