// What the comparisons room decides: who gets which report, and what may be saved.
import type {
  CompareRunsQuery,
  Comparison,
  ComparisonReport,
  CreateComparison,
  UpdateComparison,
} from "@spotter/contract";
import type { z } from "zod";
import type { AuditRecorder } from "../../platform/audit.ts";
import type { AccessControl, Caller } from "../../platform/route.ts";
import type { MetricsService } from "../metrics/index.ts";
import type { ComparableRun, RunService } from "../runs/index.ts";
import { comparisonNotFound, notAmongRuns, otherProject } from "./errors.ts";
import { readMetrics } from "./readings.ts";
import { makeReport } from "./report.ts";
import { type ComparisonRow, type ComparisonsStore, toComparison } from "./store.ts";

export interface ComparisonServiceParts {
  readonly store: ComparisonsStore;
  readonly runs: Pick<RunService, "comparable" | "require">;
  readonly metrics: Pick<MetricsService, "tree" | "queryWindows">;
  readonly access: Pick<AccessControl, "requireRole">;
  readonly audit: AuditRecorder;
  /** Unix seconds. */
  readonly now: () => number;
}

/** The person behind a change. */
export interface By {
  readonly caller: Caller;
  readonly address: string;
}

type View = Pick<z.output<typeof CompareRunsQuery>, "base" | "metric" | "value">;
type NewComparison = z.output<typeof CreateComparison>;
type Change = z.output<typeof UpdateComparison>;

export class ComparisonService {
  readonly #parts: ComparisonServiceParts;

  constructor(parts: ComparisonServiceParts) {
    this.#parts = parts;
  }

  /** Throws `run-not-found`, and `role-too-low` for a run of a project that the caller is not in. */
  async report(
    query: z.output<typeof CompareRunsQuery>,
    caller: Caller,
  ): Promise<ComparisonReport> {
    const { runs, access } = this.#parts;
    const ids = [...new Set(query.runs.split(",").map(Number))];
    // One by one, so that the answer for a run is the same as at its own door.
    for (const id of ids) access.requireRole(caller, (await runs.require(id)).project_id, "viewer");
    if (query.base !== undefined && !ids.includes(Number(query.base)))
      throw notAmongRuns("query.base", Number(query.base));
    return this.#report(await runs.comparable(ids), [], query);
  }

  /** Throws `comparison-not-found`. */
  async require(id: number): Promise<ComparisonRow> {
    const row = await this.#parts.store.byId(id);
    if (row === undefined) throw comparisonNotFound();
    return row;
  }

  async list(caller: Caller, wanted: string | undefined): Promise<Comparison[]> {
    const all = caller.isAdmin ? null : [...caller.roles.keys()];
    const one = Number(wanted);
    const isMine = all === null || all.includes(one);
    const rows = await this.#parts.store.all(wanted === undefined ? all : isMine ? [one] : []);
    return rows.map(toComparison);
  }

  /** The saved view unless the query asks for another. Runs that were purged since are told as missing. */
  async saved(
    row: ComparisonRow,
    view: View,
  ): Promise<{ comparison: Comparison; report: ComparisonReport }> {
    const comparison = toComparison(row);
    const runs = await this.#parts.runs.comparable(comparison.run_ids);
    const there = new Set(runs.map(({ summary }) => summary.id));
    const base = view.base ?? (comparison.base === null ? undefined : String(comparison.base));
    if (view.base !== undefined && !comparison.run_ids.includes(Number(view.base)))
      throw notAmongRuns("query.base", Number(view.base));
    const report = await this.#report(
      runs,
      comparison.run_ids.filter((id) => !there.has(id)),
      {
        base,
        metric: view.metric ?? comparison.metric ?? undefined,
        value: view.value ?? comparison.value,
      },
    );
    return { comparison, report };
  }

  /** The project of the first run; the others must be of it too. */
  async projectOf(runIds: readonly number[]): Promise<number> {
    return (await this.#parts.runs.require(runIds[0] ?? 0)).project_id;
  }

  async create(wish: NewComparison, by: By): Promise<Comparison> {
    const { store, now } = this.#parts;
    const projectId = await this.projectOf(wish.run_ids);
    const runIds = await this.#checked(wish.run_ids, projectId, wish.base, []);
    const time = now();
    const row = await store.add({
      ...{ project_id: projectId, name: wish.name, run_ids: JSON.stringify(runIds) },
      ...{ base: wish.base, metric: wish.metric, value: wish.value },
      ...{ created_at: time, updated_at: time },
      ...{ created_by: by.caller.userId, created_by_name: by.caller.userName },
    });
    await this.#note(row, by, "comparison-created", { name: row.name, run_ids: runIds });
    return toComparison(row);
  }

  async update(row: ComparisonRow, change: Change, by: By): Promise<Comparison> {
    const { store, now } = this.#parts;
    const before = toComparison(row);
    const base = change.base === undefined ? before.base : change.base;
    const runIds = await this.#checked(
      change.run_ids ?? before.run_ids,
      row.project_id,
      base,
      before.run_ids,
    );
    const changed = await store.update(row.id, {
      name: change.name ?? row.name,
      run_ids: JSON.stringify(runIds),
      base,
      metric: change.metric === undefined ? row.metric : change.metric,
      value: change.value ?? row.value,
      updated_at: now(),
    });
    if (changed === undefined) throw comparisonNotFound();
    await this.#note(changed, by, "comparison-updated", { ...change });
    return toComparison(changed);
  }

  async delete(row: ComparisonRow, by: By): Promise<void> {
    await this.#parts.store.remove(row.id);
    await this.#note(row, by, "comparison-deleted", { name: row.name });
  }

  async #report(
    runs: readonly ComparableRun[],
    missingRunIds: readonly number[],
    { base, metric, value }: View,
  ): Promise<ComparisonReport> {
    const chosen = runs.flatMap(({ summary }) => summary.best?.metric ?? []);
    const wanted = metric === undefined ? chosen : [metric, ...chosen];
    const ids = runs.map(({ summary }) => summary.id);
    const readings = await readMetrics(this.#parts.metrics, ids, wanted);
    const baseId = base === undefined ? undefined : Number(base);
    return makeReport({ runs, missingRunIds, readings, base: baseId, metric, value });
  }

  /** @param known runs that were saved before: they need not exist any more */
  async #checked(
    wanted: readonly number[],
    projectId: number,
    base: number | null,
    known: readonly number[],
  ): Promise<number[]> {
    const runIds = [...new Set(wanted)];
    for (const id of runIds) {
      if (known.includes(id)) continue;
      const run = await this.#parts.runs.require(id);
      if (run.project_id !== projectId) throw otherProject(id, projectId);
    }
    if (base !== null && !runIds.includes(base)) throw notAmongRuns("body.base", base);
    return runIds;
  }

  #note(
    row: ComparisonRow,
    { caller, address }: By,
    action: string,
    details: Record<string, string | number | number[] | null>,
  ): Promise<void> {
    return this.#parts.audit.record({
      ...{ userId: caller.userId, userName: caller.userName, address, action, details },
      ...{ subjectKind: "comparison", subjectId: row.id, projectId: row.project_id },
    });
  }
}
