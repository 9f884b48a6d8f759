// What the runs room decides: what may be changed, deleted, resumed, and how a run looks to whom.
import {
  FINAL_STATES,
  type ListRunsQuery,
  type LogPage,
  type LogQuery,
  type Recipe,
  type Run,
  type RunFile,
  type RunPage,
  recipes,
  type UpdateRun,
} from "@spotter/contract";
import type { Transaction } from "kysely";
import { z } from "zod";
import type { AnyTables } from "../../platform/db/database.ts";
import type { Caller } from "../../platform/route.ts";
import { noteOf } from "./audit-note.ts";
import { closedFor, requireMayStart } from "./command-runs.ts";
import { type ComparableRun, toComparableRun } from "./comparable-run.ts";
import { noCheckpoint, runNotFound, stateConflict } from "./errors.ts";
import type { ForksStore } from "./forks-store.ts";
import { configAtStart, configChanges, newestCheckpoint } from "./live-values.ts";
import type { LogsStore } from "./logs-store.ts";
import { asJson } from "./run-config.ts";
import { type Insertion, type NewRun, RunCreation, type RunCreationParts } from "./run-creation.ts";
import type { RunList } from "./run-list.ts";
import { type RunsStore, searchable } from "./store.ts";
import type { RunRow } from "./tables.ts";
import { type TrainedRun, toTrainedRun } from "./trained-run.ts";
import { toFile, toRun, toSummary } from "./views.ts";

/** Where a run's stream stands; the metrics room knows. */
export interface StreamFacts {
  readonly commit_no: number;
  readonly num_points: number;
  readonly num_series: number;
}

export interface RunServiceParts extends RunCreationParts {
  readonly forks: Pick<ForksStore, "fork" | "lines">;
  readonly list: RunList;
  readonly logs: LogsStore;
  readonly streamFacts: (runId: number) => Promise<StreamFacts>;
}

export class RunService {
  readonly #parts: RunServiceParts;
  readonly #creation: RunCreation;

  constructor(parts: RunServiceParts) {
    this.#parts = parts;
    this.#creation = new RunCreation(parts);
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
    const { store, queue } = this.#parts;
    const row = await store.run(runId);
    if (row === undefined) return null;
    const [weights, commands] = await Promise.all([
      store.newestFile(runId, "weights"),
      queue.commands(runId),
    ]);
    return toTrainedRun(row, weights, commands);
  }

  /** In the order of their ids here; those that are gone are left out. */
  async comparable(runIds: readonly number[]): Promise<ComparableRun[]> {
    const { store, forks, queue } = this.#parts;
    const [rows, lines] = await Promise.all([store.runs(runIds), forks.lines(runIds)]);
    const ancestors = [...lines.values()].flat().map(({ parent_id }) => parent_id);
    const commands = await queue.commandsOf([...new Set([...runIds, ...ancestors])]);
    const commandsOf = (id: number) => commands.get(id) ?? [];
    return runIds.flatMap((id) => {
      const row = rows.find((one) => one.id === id);
      const facts = { line: lines.get(id) ?? [], commandsOf };
      return row === undefined ? [] : [toComparableRun(row, commandsOf(id), facts)];
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
    return {
      ...run,
      config: asJson(configAtStart(run.config, commands)),
      config_changes: configChanges(commands),
    };
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

  /** The same client id again gives the run that was made first. */
  create(wish: NewRun, caller: Caller, address: string): Promise<RunRow> {
    return this.#creation.create(wish, caller, address);
  }

  /** A run and its job, inside the caller's transaction; call `inserted` after its commit. */
  insertInside(transaction: Transaction<AnyTables>, insertion: Insertion): Promise<number> {
    return this.#creation.insertInside(transaction, insertion);
  }

  inserted(ids: readonly number[]): void {
    this.#creation.inserted(ids);
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

function visibleProjects(caller: Caller, wanted: string | undefined): number[] | null {
  if (wanted === undefined) return caller.isAdmin ? null : [...caller.roles.keys()];
  const id = Number(wanted);
  return caller.isAdmin || caller.roles.has(id) ? [id] : [];
}
