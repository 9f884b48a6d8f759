// Pre-flights: a light job that builds a training's task and reports what it saw. Its report grows in the job's result
// while the worker looks on.
import {
  FINAL_STATES,
  type Preflight,
  PreflightReport,
  type PreflightRequest,
} from "@spotter/contract";
import type { z } from "zod";
import type { Caller } from "../../platform/route.ts";
import type { JobRow, QueueService } from "../queue/index.ts";
import { preflightFailed, preflightNotFound } from "./errors.ts";
import { requireFitting } from "./fitting.ts";
import { locateSources, type PlaceParts } from "./places.ts";
import { asJson, parseConfig } from "./run-config.ts";
import type { RunsStore } from "./store.ts";

export type NewPreflight = z.output<typeof PreflightRequest> & { readonly project_id: number };

export interface PreflightsParts {
  readonly store: RunsStore;
  readonly queue: QueueService;
  readonly sources: PlaceParts;
}

export class Preflights {
  readonly #parts: PreflightsParts;

  constructor(parts: PreflightsParts) {
    this.#parts = parts;
  }

  /** Throws what creating the run would throw: `config-invalid`, `path-not-found`, … @returns the job's id */
  async start(wish: NewPreflight, caller: Caller): Promise<number> {
    const { store, queue, sources } = this.#parts;
    const { recipe, project_id: projectId, budget_s, trials } = wish;
    const config = parseConfig(recipe, wish.config);
    // A program of one's own says nothing about its data and model.
    if (!("learning_rate" in config))
      throw preflightFailed(
        `A training of the recipe ${recipe} has no pre-flight: Spotter cannot look into a program of your own. Start it with little work and a time limit (time_limit_minutes) instead.`,
      );
    queue.requireExecutor();
    await queue.requireLightRoom(caller.userId);
    const located = await locateSources(sources, recipe, config, projectId);
    await requireFitting(sources.datasets, recipe, config, located);
    const { places, dataName } = located;
    const jobId = await store.transaction((transaction) =>
      queue.submit(transaction, {
        kind: "preflight",
        projectId,
        ownerId: caller.userId,
        ownerName: caller.userName,
        nameOf: () => `pre-flight of ${recipe}-${dataName}`,
        work: {
          recipe,
          config: asJson(config),
          places,
          predict: null,
          preflight: { budget_s, trials },
        },
      }),
    );
    queue.kick();
    return jobId;
  }

  /** Throws `preflight-not-found`. */
  async require(jobId: number): Promise<JobRow> {
    const row = await this.#parts.queue.findJob(jobId);
    if (row?.kind !== "preflight") throw preflightNotFound(jobId);
    return row;
  }

  /** Waits for its end at most so long. */
  async get(jobId: number, waitS: number): Promise<Preflight> {
    if (waitS > 0) await this.#parts.queue.waitForEnd(jobId, waitS * 1000);
    return toPreflight(await this.require(jobId));
  }

  async cancel(jobId: number): Promise<void> {
    const { queue } = this.#parts;
    const row = await this.require(jobId);
    if (FINAL_STATES.includes(row.state)) return;
    if (!(await queue.cancelQueued(jobId))) await queue.killNow(jobId);
  }
}

function toPreflight(row: JobRow): Preflight {
  return {
    job_id: row.id,
    project_id: row.project_id,
    state: row.state,
    reason: row.reason,
    report: row.result === null ? null : PreflightReport.parse(JSON.parse(row.result)),
  };
}
