// Makes runs: trainings that the queue will start, and runs that somebody else carries out; once for each client id.
import type { CreateRun, RecipeName, RunSource } from "@spotter/contract";
import type { Transaction } from "kysely";
import type { z } from "zod";
import type { AuditRecorder } from "../../platform/audit.ts";
import type { AnyTables } from "../../platform/db/database.ts";
import { ConstraintViolation } from "../../platform/db/failures.ts";
import { invalidRequest } from "../../platform/errors.ts";
import type { Caller } from "../../platform/route.ts";
import type { DatasetService } from "../datasets/index.ts";
import type { JobWork, QueueService } from "../queue/index.ts";
import { who } from "./audit-note.ts";
import { type CommandRuns, commandOf, requireMayStart } from "./command-runs.ts";
import { runNotFound } from "./errors.ts";
import type { RunFeed } from "./feed.ts";
import { requireFitting } from "./fitting.ts";
import { locateSources, type PlaceParts } from "./places.ts";
import { asJson, parseConfig } from "./run-config.ts";
import { type RunsStore, searchable } from "./store.ts";
import type { RunRow } from "./tables.ts";

export interface RunCreationParts {
  readonly store: RunsStore;
  readonly queue: QueueService;
  readonly datasets: DatasetService;
  readonly locateModel: PlaceParts["locateModel"];
  readonly commandRuns: CommandRuns;
  readonly feed: RunFeed;
  readonly audit: AuditRecorder;
  readonly now: () => number;
}

export type NewRun = z.output<typeof CreateRun> & { readonly project_id: number };

type RowNames = Partial<Pick<RunRow, "model_name" | "data_name">>;

/** All that a run's rows are made of. */
export interface Insertion {
  readonly wish: NewRun;
  readonly caller: Caller;
  readonly source: z.infer<typeof RunSource>;
  /** Null for runs that somebody else carries out. */
  readonly work: JobWork | null;
  readonly defaultName: (id: number) => string;
  readonly names: RowNames;
  /** The run whose checkpoint it begins in. */
  readonly parentId: number | null;
}

export class RunCreation {
  readonly #parts: RunCreationParts;

  constructor(parts: RunCreationParts) {
    this.#parts = parts;
  }

  async create(wish: NewRun, caller: Caller, address: string): Promise<RunRow> {
    const { store, audit } = this.#parts;
    if (wish.client_id !== undefined) {
      const made = await store.byClientId(wish.project_id, wish.client_id);
      if (made !== undefined) return made;
    }
    let row: RunRow;
    try {
      row =
        wish.recipe === undefined
          ? await this.#createExternal(wish, caller, wish.source ?? "script")
          : await this.#createTraining(wish, wish.recipe, caller);
    } catch (error) {
      // The same request came twice at once, and the other one was faster.
      const isTaken = error instanceof ConstraintViolation && error.kind === "unique";
      const made =
        isTaken && wish.client_id !== undefined
          ? await store.byClientId(wish.project_id, wish.client_id)
          : undefined;
      if (made === undefined) throw error;
      return made;
    }
    await audit.record({
      ...who(caller, address),
      action: "run-created",
      subjectKind: "run",
      subjectId: row.id,
      projectId: row.project_id,
      details: { name: row.name, recipe: row.recipe, ...commandOf(row) },
    });
    return row;
  }

  async #createTraining(
    wish: NewRun,
    recipe: NonNullable<NewRun["recipe"]>,
    caller: Caller,
  ): Promise<RunRow> {
    const { queue } = this.#parts;
    requireMayStart(this.#parts.commandRuns, recipe, caller);
    const config = withGrant(recipe, parseConfig(recipe, wish.config), wish);
    const asked = { priority: wish.priority ?? 0, resources: wish.resources ?? {} };
    queue.requireAllowed(asked, config, wish.project_id, caller);
    const located = await locateSources(this.#parts, recipe, config, wish.project_id);
    await requireFitting(this.#parts.datasets, recipe, config, located);
    const { places, dataName } = located;
    queue.requireExecutor();
    const work: JobWork = { recipe, config: asJson(config), places, predict: null };
    const name = `${recipe}-${dataName}`;
    return this.#insert(wish, caller, "recipe", work, (id) => `${name}-${id}`, {
      model_name: wish.model_name ?? name,
      data_name: dataName,
    });
  }

  async #createExternal(
    wish: NewRun,
    caller: Caller,
    source: z.infer<typeof RunSource>,
  ): Promise<RunRow> {
    for (const field of ["priority", "resources", "limits"] as const)
      if (wish[field] !== undefined)
        throw invalidRequest([
          {
            path: `body.${field}`,
            message: "is for trainings that Spotter starts (name a recipe)",
          },
        ]);
    return this.#insert(wish, caller, source, null, (id) => `run-${id}`);
  }

  async #insert(
    wish: NewRun,
    caller: Caller,
    source: z.infer<typeof RunSource>,
    work: JobWork | null,
    defaultName: (id: number) => string,
    names: RowNames = {},
  ): Promise<RunRow> {
    const insertion = { wish, caller, source, work, defaultName, names, parentId: null };
    const id = await this.#parts.store.transaction((transaction) =>
      this.insertInside(transaction, insertion),
    );
    this.inserted([id]);
    return this.#require(id);
  }

  /** A run and its job, inside the caller's transaction; call `inserted` after its commit. */
  async insertInside(
    transaction: Transaction<AnyTables>,
    { wish, caller, source, work, defaultName, names, parentId }: Insertion,
  ): Promise<number> {
    const { store, queue, now } = this.#parts;
    const nameOf = (id: number) => wish.name ?? defaultName(id);
    const id = await queue.submit(transaction, {
      kind: work === null ? "external" : "train",
      projectId: wish.project_id,
      ownerId: caller.userId,
      ownerName: caller.userName,
      nameOf,
      work,
      ...(wish.priority === undefined ? {} : { priority: wish.priority }),
      ...(wish.resources === undefined ? {} : { wish: wish.resources }),
      ...(wish.limits === undefined ? {} : { limits: wish.limits }),
    });
    const name = nameOf(id);
    await store.insert(transaction, {
      id,
      project_id: wish.project_id,
      owner_id: caller.userId,
      owner_name: caller.userName,
      name,
      source,
      recipe: wish.recipe ?? null,
      state: work === null ? "running" : "queued",
      reason: null,
      note: wish.note,
      tags: JSON.stringify(wish.tags),
      ...searchable(name, wish.note, wish.tags),
      config: JSON.stringify(work?.config ?? wish.config),
      client_id: wish.client_id ?? null,
      parent_id: parentId,
      created_at: now(),
      started_at: work === null ? now() : null,
      training_since: work === null ? now() : null,
      ...NOTHING_YET,
      ...names,
    });
    return id;
  }

  inserted(ids: readonly number[]): void {
    this.#parts.queue.kick();
    for (const id of ids) this.#parts.feed.runTouched(id);
  }

  async #require(runId: number): Promise<RunRow> {
    const row = await this.#parts.store.run(runId);
    if (row === undefined) throw runNotFound(runId);
    return row;
  }
}

const NOTHING_YET = {
  ended_at: null,
  last_event_at: null,
  archived_at: null,
  deleted_at: null,
  progress: null,
  best: null,
  facts: null,
  error: null,
} as const;

/** A program is held by its worker to the cores and the time that the queue gives it; a recipe's worker by the queue. */
function withGrant(
  recipe: RecipeName,
  config: Record<string, unknown>,
  { resources, limits }: NewRun,
): Record<string, unknown> {
  if (recipe !== "command") return config;
  const minutes = [
    config.time_limit_minutes,
    limits?.time_s === undefined ? null : limits.time_s / 60,
  ];
  const known = minutes.filter((limit) => typeof limit === "number");
  return {
    ...config,
    cpu_cores: config.cpu_cores ?? resources?.cpu_cores ?? null,
    time_limit_minutes: known.length === 0 ? null : Math.min(...known),
  };
}
