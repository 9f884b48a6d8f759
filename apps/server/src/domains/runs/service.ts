// What the runs room decides: what may be created, changed, deleted, resumed, and how a run looks to whom.
import {
  type CreateRun,
  contradictionsOf,
  FINAL_STATES,
  type ListRunsQuery,
  type LogPage,
  type LogQuery,
  type Recipe,
  type RecipeName,
  type Run,
  type RunFile,
  type RunPage,
  type RunSource,
  recipes,
  type UpdateRun,
} from "@spotter/contract";
import type { Transaction } from "kysely";
import { z } from "zod";
import type { AuditRecorder } from "../../platform/audit.ts";
import type { AnyTables } from "../../platform/db/database.ts";
import { ConstraintViolation } from "../../platform/db/failures.ts";
import { invalidRequest } from "../../platform/errors.ts";
import type { Caller } from "../../platform/route.ts";
import type { DatasetService } from "../datasets/index.ts";
import type { JobWork, QueueService } from "../queue/index.ts";
import { type CommandRuns, closedFor, commandOf, requireMayStart } from "./command-runs.ts";
import { type ComparableRun, toComparableRun } from "./comparable-run.ts";
import { configInvalid, noCheckpoint, runNotFound, stateConflict } from "./errors.ts";
import type { RunFeed } from "./feed.ts";
import type { ForksStore } from "./forks-store.ts";
import { configInForce, newestCheckpoint } from "./live-values.ts";
import type { LogsStore } from "./logs-store.ts";
import { locateSources, type PlaceParts } from "./places.ts";
import type { RunList } from "./run-list.ts";
import type { RunsStore } from "./store.ts";
import type { RunRow } from "./tables.ts";
import { type TrainedRun, toTrainedRun } from "./trained-run.ts";
import { toFile, toRun, toSummary } from "./views.ts";

/** Where a run's stream stands; the metrics room knows. */
export interface StreamFacts {
  readonly commit_no: number;
  readonly num_points: number;
  readonly num_series: number;
}

export interface RunServiceParts {
  readonly store: RunsStore;
  readonly forks: Pick<ForksStore, "fork">;
  readonly list: RunList;
  readonly logs: LogsStore;
  readonly queue: QueueService;
  readonly datasets: DatasetService;
  readonly locateModel: PlaceParts["locateModel"];
  readonly commandRuns: CommandRuns;
  readonly feed: RunFeed;
  readonly audit: AuditRecorder;
  readonly now: () => number;
  readonly streamFacts: (runId: number) => Promise<StreamFacts>;
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

export class RunService {
  readonly #parts: RunServiceParts;

  constructor(parts: RunServiceParts) {
    this.#parts = parts;
  }

  recipes(caller: Caller): Recipe[] {
    return Object.entries(recipes).map(([name, recipe]) => ({
      name: name as Recipe["name"],
      title: recipe.title,
      title_zh: recipe.title_zh,
      description: recipe.description,
      description_zh: recipe.description_zh,
      primary_metric: recipe.primary_metric,
      higher_is_better: recipe.higher_is_better,
      config_schema: z.toJSONSchema(recipe.config, { io: "input" }) as Recipe["config_schema"],
      closed_by: closedFor(this.#parts.commandRuns, name, caller)?.code ?? null,
    }));
  }

  /** Runs of a source that have not ended, with the config that they were opened with. */
  openOf(source: RunRow["source"]): ReturnType<RunsStore["openOf"]> {
    return this.#parts.store.openOf(source);
  }

  /** Undefined when there is none. */
  find(runId: number): Promise<RunRow | undefined> {
    return this.#parts.store.run(runId);
  }

  /** Runs that train now, for whoever listens whether they still do. */
  running(): Promise<RunRow[]> {
    return this.#parts.store.running();
  }

  /** Deleted runs count as there: they can be restored. Throws `run-not-found`. */
  async require(runId: number): Promise<RunRow> {
    const row = await this.#parts.store.run(runId);
    if (row === undefined) throw runNotFound(runId);
    return row;
  }

  /** What makes a model version of a run; null where no recipe of Spotter trained it. */
  async trained(runId: number): Promise<TrainedRun | null> {
    const { store } = this.#parts;
    const row = await store.run(runId);
    if (row === undefined) return null;
    return toTrainedRun(row, await store.newestFile(runId, "weights"));
  }

  /** In the order of their ids here; those that are gone are left out. */
  async comparable(runIds: readonly number[]): Promise<ComparableRun[]> {
    const { store, queue } = this.#parts;
    const [rows, commands] = await Promise.all([store.runs(runIds), queue.commandsOf(runIds)]);
    return runIds.flatMap((id) => {
      const row = rows.find((one) => one.id === id);
      return row === undefined ? [] : [toComparableRun(row, commands.get(id) ?? [])];
    });
  }

  async run(row: RunRow, caller: Caller): Promise<Run> {
    const { store, forks, queue, streamFacts } = this.#parts;
    const [metrics, job, facts, fork, commands] = await Promise.all([
      store.metricsOf([row.id], null),
      queue.job(row.id),
      streamFacts(row.id),
      row.parent_id === null ? null : forks.fork(row.id),
      queue.commands(row.id),
    ]);
    const run = toRun(row, metrics.get(row.id) ?? {}, {
      attempts: job.attempts,
      fork,
      ...facts,
      role: caller.isAdmin ? "admin" : (caller.roles.get(row.project_id) ?? "viewer"),
    });
    // What people have changed since it started is its config too.
    return { ...run, config: asJson(configInForce(run.config, commands)) };
  }

  async list(query: z.output<typeof ListRunsQuery>, caller: Caller): Promise<RunPage> {
    const { list, store, now } = this.#parts;
    const filter = {
      projectIds: visibleProjects(caller, query.project_id),
      states: query.state === undefined ? null : query.state.split(","),
      source: query.source,
      q: query.q,
      tag: query.tag,
      archived: query.archived === "true",
      deleted: query.deleted === "true",
    };
    const [{ rows, nextCursor }, total] = await Promise.all([
      list.page(filter, query, query.cursor, Number(query.limit), now()),
      list.count(filter),
    ]);
    const wanted = query.metrics?.split(",").filter((name) => name !== "") ?? null;
    const metrics = await store.metricsOf(
      rows.map(({ id }) => id),
      wanted,
    );
    return {
      runs: rows.map((row) => toSummary(row, metrics.get(row.id) ?? {})),
      next_cursor: nextCursor,
      total,
    };
  }

  /** Of the runs that the caller may see. */
  metricNames(caller: Caller, q: string | undefined, limit: number): Promise<string[]> {
    return this.#parts.store.metricNames(visibleProjects(caller, undefined), q, limit);
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
    queue.requireExecutor();
    const { places, dataName } = await locateSources(this.#parts, recipe, config, wish.project_id);
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
    return this.require(id);
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
      ...NOTHING_YET,
      ...names,
    });
    return id;
  }

  inserted(ids: readonly number[]): void {
    this.#parts.queue.kick();
    for (const id of ids) this.#parts.feed.runTouched(id);
  }

  async update(
    row: RunRow,
    change: z.output<typeof UpdateRun>,
    caller: Caller,
    address: string,
  ): Promise<RunRow> {
    const { store, queue, feed, audit, now } = this.#parts;
    const name = change.name ?? row.name;
    const note = change.note ?? row.note;
    const tags = change.tags ?? (JSON.parse(row.tags) as string[]);
    await store.transaction(async (transaction) => {
      await store.updateInside(transaction, row.id, {
        ...{ name, note, tags: JSON.stringify(tags), ...searchable(name, note, tags) },
        ...(change.archived === undefined
          ? {}
          : { archived_at: change.archived ? (row.archived_at ?? now()) : null }),
      });
      if (name !== row.name) await queue.rename(transaction, row.id, name);
    });
    feed.runTouched(row.id);
    await audit.record({ ...noteOf(row, caller, address, "run-updated"), details: { ...change } });
    return this.require(row.id);
  }

  async delete(row: RunRow, caller: Caller, address: string): Promise<void> {
    const { store, feed, audit, now } = this.#parts;
    if (!FINAL_STATES.includes(row.state))
      throw stateConflict(
        `Run ${row.id} is ${row.state}; stop it before you delete it.`,
        row.state,
      );
    if (row.deleted_at !== null) return;
    await store.update(row.id, { deleted_at: now() });
    feed.runTouched(row.id);
    await audit.record(noteOf(row, caller, address, "run-deleted"));
  }

  async restore(row: RunRow, caller: Caller, address: string): Promise<RunRow> {
    const { store, feed, audit } = this.#parts;
    if (row.deleted_at === null) return row;
    await store.update(row.id, { deleted_at: null });
    feed.runTouched(row.id);
    await audit.record(noteOf(row, caller, address, "run-restored"));
    return this.require(row.id);
  }

  /** A new attempt from the last checkpoint; what later attempts repeat is superseded by where they begin. */
  async resume(row: RunRow, caller: Caller, address: string): Promise<RunRow> {
    const { store, queue, audit } = this.#parts;
    if (row.source !== "recipe")
      throw stateConflict(`Run ${row.id} was not started here, so it cannot be resumed from here.`);
    if (row.deleted_at !== null) throw stateConflict(`Run ${row.id} is deleted; restore it first.`);
    if (row.state !== "failed" && row.state !== "stopped")
      throw stateConflict(
        `Run ${row.id} is ${row.state}; only failed and stopped runs can be resumed.`,
        row.state,
      );
    requireMayStart(this.#parts.commandRuns, row.recipe, caller);
    const [files, commands] = await Promise.all([store.files(row.id), queue.commands(row.id)]);
    const checkpoint = newestCheckpoint(files, commands);
    // A fork that has none of its own begins again where it forked.
    if (checkpoint === undefined && row.parent_id === null) throw noCheckpoint();
    const resumeFrom = checkpoint?.path ?? null;
    queue.requireExecutor();
    if (!(await queue.isAtRest(row.id)))
      throw stateConflict(`The process of run ${row.id} is still ending; try again in a moment.`);
    if (!(await queue.requeue(row.id, resumeFrom)))
      throw stateConflict(`Run ${row.id} has been resumed already.`);
    await audit.record({
      ...noteOf(row, caller, address, "run-resumed"),
      details: { checkpoint: resumeFrom },
    });
    return this.require(row.id);
  }

  async logs(row: RunRow, query: z.output<typeof LogQuery>): Promise<z.infer<typeof LogPage>> {
    const lines = await this.#parts.logs.lines(row.id, {
      after: query.after === undefined ? null : Number(query.after),
      before: query.before === undefined ? null : Number(query.before),
      level: query.level,
      q: query.q,
      limit: Number(query.limit),
    });
    return {
      lines,
      first_line_no: lines[0]?.line_no ?? null,
      last_line_no: lines.at(-1)?.line_no ?? null,
      total: row.num_log_lines,
    };
  }

  async files(runId: number): Promise<{ files: z.infer<typeof RunFile>[]; total_size: number }> {
    const rows = await this.#parts.store.files(runId);
    const present = rows.filter((row) => row.removed_at === null);
    return {
      files: rows.map(toFile),
      total_size: present.reduce((sum, row) => sum + row.size, 0),
    };
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

/** A parsed config is made of JSON alone; its type says less. */
export function asJson(config: Record<string, unknown>): JobWork["config"] {
  return config as JobWork["config"];
}

/** Throws `config-invalid` with one line a field; unknown keys are errors, derived defaults are filled in. */
export function parseConfig(recipe: RecipeName, config: unknown): Record<string, unknown> {
  const result = recipes[recipe].config.safeParse(config);
  if (!result.success)
    throw configInvalid(
      result.error.issues.map((issue) => ({
        path: ["config", ...issue.path].join("."),
        message: issue.message,
      })),
    );
  const problems = contradictionsOf(result.data);
  if (problems.length > 0)
    throw configInvalid(
      problems.map(({ path: field, message }) => ({ path: `config.${field}`, message })),
    );
  return result.data;
}

export function who(caller: Caller, address: string) {
  return { userId: caller.userId, userName: caller.userName, address };
}

export function noteOf(row: RunRow, caller: Caller, address: string, action: string) {
  return {
    ...who(caller, address),
    action,
    subjectKind: "run",
    subjectId: row.id,
    projectId: row.project_id,
  };
}

function visibleProjects(caller: Caller, wanted: string | undefined): number[] | null {
  if (wanted === undefined) return caller.isAdmin ? null : [...caller.roles.keys()];
  const id = Number(wanted);
  return caller.isAdmin || caller.roles.has(id) ? [id] : [];
}

function searchable(name: string, note: string, tags: readonly string[]) {
  return {
    name_key: name.toLowerCase(),
    search_text: [name, note, ...tags].join("\n").toLowerCase(),
  };
}
