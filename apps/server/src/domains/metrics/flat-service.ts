// What the seeds' doors answer: the run that they speak of, its newest values and its last updates.
import { ACTIVE_STATES, type FlatMetrics, type RunSummary } from "@spotter/contract";
import type { AccessControl, Caller } from "../../platform/route.ts";
import type { RunService } from "../runs/index.ts";
import { FLAT_SERIES, type FlatFacts, FlatState, FOLLOWED_SERIES } from "./flat-metrics.ts";
import type { ArrivedPoint, MetricsService } from "./service.ts";

export interface FlatUpdate {
  readonly timestamp: number;
  readonly data: FlatMetrics;
}

export class FlatService {
  readonly #runs: RunService;
  readonly #metrics: MetricsService;
  readonly #access: AccessControl;

  constructor(runs: RunService, metrics: MetricsService, access: AccessControl) {
    this.#runs = runs;
    this.#metrics = metrics;
    this.#access = access;
  }

  /** The named run, or the newest active one that the caller may see; null when there is none. */
  async runFor(caller: Caller, runId: string | undefined): Promise<number | null> {
    if (runId !== undefined) {
      const row = await this.#runs.require(Number(runId));
      this.#access.requireRole(caller, row.project_id, "viewer");
      return row.id;
    }
    const page = await this.#runs.list(
      {
        state: ACTIVE_STATES.join(","),
        archived: "false",
        deleted: "false",
        sort: "id",
        direction: "desc",
        limit: "1",
      },
      caller,
    );
    return page.runs[0]?.id ?? null;
  }

  async facts(runId: number): Promise<FlatFacts & { state: RunSummary["state"] }> {
    const row = await this.#runs.require(runId);
    const facts = row.facts === null ? null : JSON.parse(row.facts);
    return {
      progress: row.progress === null ? null : JSON.parse(row.progress),
      model: facts?.model ?? null,
      state: row.state,
    };
  }

  /** Newest values. */
  async current(runId: number): Promise<FlatState> {
    const state = new FlatState(runId);
    for (const name of FOLLOWED_SERIES)
      for (const { step, time, value } of await this.#metrics.lastPoints(runId, name, 1))
        state.set(name, step, time, value);
    state.facts = await this.facts(runId);
    return state;
  }

  /** A run of which nothing has been told yet. */
  async blank(runId: number): Promise<FlatState> {
    const state = new FlatState(runId);
    state.facts = await this.facts(runId);
    return state;
  }

  /** One update a step of the series that is written most, oldest first; each with what was newest by then. */
  async history(runId: number, limit: number): Promise<FlatUpdate[]> {
    const series = new Map<string, ArrivedPoint[]>();
    for (const name of FLAT_SERIES)
      series.set(name, await this.#metrics.lastPoints(runId, name, limit));
    const facts = await this.facts(runId);
    const leading = [...series.values()].reduce(
      (longest, points) => (points.length > longest.length ? points : longest),
      [],
    );
    return leading.map(({ step, time }) => {
      const state = new FlatState(runId);
      for (const [name, points] of series) {
        const last = points.findLast((point) => point.step <= step);
        if (last !== undefined) state.set(name, last.step, last.time, last.value);
      }
      state.step = step;
      // Batch, ETA and the like are known of now only.
      state.facts = { progress: null, model: facts.model };
      return { timestamp: time, data: state.toMetrics() };
    });
  }
}
