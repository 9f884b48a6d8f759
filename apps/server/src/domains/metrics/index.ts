// The metrics room's door.
import { decodeMetricValue } from "@spotter/contract";
import { BackgroundWork } from "../../platform/background-work.ts";
import type { Bus } from "../../platform/bus.ts";
import type { Database } from "../../platform/db/database.ts";
import type { Log } from "../../platform/log.ts";
import type { AccessControl, Router } from "../../platform/route.ts";
import type { Sink } from "../../platform/sink.ts";
import type { RunService } from "../runs/index.ts";
import type { TrainingEventOutlet } from "./flat-outlets.ts";
import { registerFlatRoutes, tellEpoch } from "./flat-routes.ts";
import { FlatService } from "./flat-service.ts";
import { HostRecorder } from "./host-recorder.ts";
import { LiveHub } from "./live.ts";
import { NamesStore } from "./names-store.ts";
import { registerMetricRoutes } from "./routes.ts";
import { Sealer } from "./sealer.ts";
import type { SealingEngine } from "./sealing.ts";
import type { ParsedSeries } from "./series-parser.ts";
import { MetricsService } from "./service.ts";
import { metricsSink } from "./sink.ts";
import { MetricsStore } from "./store.ts";
import { registerStreamRoutes } from "./stream-routes.ts";
import { MAX_SUMMARIES_A_RUN, type RecordSummaries, Summaries } from "./summaries.ts";
import { BatchWriter } from "./writer.ts";

export { metricsMigrations as migrations } from "./migrations.ts";
export { NamesStore } from "./names-store.ts";
export { metricsPostgresProcedures as postgresProcedures } from "./procedures.ts";
export { Sealer } from "./sealer.ts";
export { SealingWorker, sealingHere } from "./sealing-worker.ts";
export { checkSeries, type ParsedSeries } from "./series-parser.ts";
export { MetricsService } from "./service.ts";
export { metricsSink } from "./sink.ts";
export { MetricsStore } from "./store.ts";
export { BatchWriter } from "./writer.ts";

export interface MetricsRoomParts {
  readonly database: Database;
  readonly bus: Bus;
  readonly log: Log;
  /** Unix seconds. */
  readonly now: () => number;
  readonly runs: RunService;
  readonly access: AccessControl;
  /** The runs room's list shows newest values. */
  readonly recordSummaries: RecordSummaries;
  readonly sealing: SealingEngine;
}

/** Is told of every batch after its commit, with its columns; must return at once and change nothing. */
export type PointObserver = (runId: number, commitNo: number, parsed: ParsedSeries) => void;

const SWEEP_MS = 60_000;

/** Points and live streams. `sink` is to be registered with the queue before it starts. */
export class MetricsRoom {
  readonly service: MetricsService;
  readonly sink: Sink;
  readonly #parts: MetricsRoomParts;
  readonly #store: MetricsStore;
  readonly #sealer: Sealer;
  readonly #summaries: Summaries;
  readonly #hub: LiveHub;
  readonly #host: HostRecorder;
  readonly #epochOutlets = new Set<TrainingEventOutlet>();
  readonly #observers: PointObserver[] = [];
  readonly #lastValues = new BackgroundWork();
  #sweepTimer: NodeJS.Timeout | undefined;

  constructor(parts: MetricsRoomParts) {
    const { database, bus, log, now, sealing, recordSummaries } = parts;
    this.#parts = parts;
    this.#store = new MetricsStore(database);
    this.service = new MetricsService(this.#store, new NamesStore(database));
    const onError = (error: unknown, runId: number) =>
      log.error({ error, run_id: runId }, "Points could not be sealed; it is tried again.");
    this.#sealer = new Sealer({ database, store: this.#store, engine: sealing, now, onError });
    this.#summaries = new Summaries(recordSummaries, (error, runId) =>
      log.error({ error, run_id: runId }, "Newest values did not reach the list of runs."),
    );
    this.#hub = new LiveHub({ bus, service: this.service, onError: (error) => this.#warn(error) });
    this.#host = new HostRecorder({ database, bus, now, sealer: this.#sealer, log });
    this.sink = this.#makeSink();
  }

  /** Live streams that are connected now. */
  get openStreams(): number {
    return this.#hub.numReaders;
  }

  /** Where a run's stream stands. */
  streamFacts(
    runId: number,
  ): Promise<{ commit_no: number; num_points: number; num_series: number }> {
    return this.service.streamFacts(runId);
  }

  /** An attempt that has yet to begin supersedes from now on what lies at and behind its first step. */
  async cut(runId: number, attempt: number, firstStep: number): Promise<void> {
    // What is still due for the list would be told after the cut, as if it were in force.
    await this.#lastValues.finished();
    await this.#summaries.settled();
    await this.#parts.database.call({
      name: "metrics-cut",
      payload: { runId, attempt, firstStep },
    });
  }

  /** The newest values in force go to the runs room's list. */
  async tellLastValues(runId: number): Promise<void> {
    await this.#recordLastValues(runId);
  }

  /** For rooms above that look at every point: the bus's event would have to make its series first. */
  observe(observer: PointObserver): void {
    this.#observers.push(observer);
  }

  /** Removes everything that is stored of a run; may be repeated. */
  async purge(runId: number): Promise<void> {
    await this.#parts.database.call({ name: "metrics-purge", payload: { runId } });
  }

  registerRoutes(router: Router): void {
    const { runs, access, now } = this.#parts;
    const service = this.service;
    const hub = this.#hub;
    registerMetricRoutes({ router, access, runs, service });
    registerStreamRoutes({ router, access, hub, service, runs });
    registerFlatRoutes({
      ...{ router, access, hub, service, runs, now },
      flat: new FlatService(runs, service, access),
      epochOutlets: this.#epochOutlets,
      onError: (error) => this.#warn(error),
    });
  }

  start(): void {
    this.#host.start();
    const sweep = () => {
      this.#sealer.sweep().catch((error: unknown) => this.#warn(error));
    };
    sweep();
    this.#sweepTimer = setInterval(sweep, SWEEP_MS);
    this.#sweepTimer.unref();
  }

  /** Ends all live streams; call before the HTTP server closes. */
  closeStreams(): void {
    this.#hub.close();
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweepTimer);
    await this.#host.stop();
    await this.#summaries.settled();
    await this.#lastValues.finished();
    await this.#sealer.close();
  }

  #makeSink(): Sink {
    return metricsSink(new BatchWriter(), {
      appended: (event, parsed, { tailPoints }) => {
        this.#parts.bus.publish(event);
        for (const observer of this.#observers) observer(event.run_id, event.commit_no, parsed);
        this.#summaries.appended(event.run_id, event.attempt, parsed);
        this.#sealer.tailGrew(event.run_id, tailPoints, parsed.names.length);
      },
      epochCompleted: (runId, event) => tellEpoch(this.#epochOutlets, runId, event),
      wentBack: (runId) => {
        this.#lastValues.add(this.#recordLastValues(runId), (error) => this.#warn(error));
      },
      ended: (runId) => {
        this.#summaries.ended(runId);
        this.#lastValues.add(this.#recordLastValues(runId), (error) => this.#warn(error));
        this.#sealer.runEnded(runId);
      },
    });
  }

  // A server that was killed took the last second's news for the list with it; at a run's end the store tells them, and
  // where an attempt begins that supersedes points, those that are in force.
  async #recordLastValues(runId: number): Promise<void> {
    const { nodes } = await this.service.tree(runId, {
      ...{ prefix: "", search: undefined, after: "", isFlat: true },
      limit: MAX_SUMMARIES_A_RUN,
    });
    const rows = nodes.flatMap(({ path, last_step, last_value }) =>
      last_value === null
        ? []
        : {
            name: path,
            lastStep: last_step,
            lastTime: null,
            lastValue: decodeMetricValue(last_value),
          },
    );
    if (rows.length > 0) await this.#parts.recordSummaries(runId, rows);
  }

  #warn(error: unknown): void {
    this.#parts.log.warn({ error }, "A live stream or a sweep failed.");
  }
}
