// What the models room decides: what becomes a version, what may change about it, and which is in production.
import {
  FINAL_STATES,
  type ListModelVersionsQuery,
  type Model,
  type ModelDetail,
  type ModelVersion,
  type ModelVersionDetail,
  type ModelVersionPage,
  type PredictAnswer,
  type PredictRequest,
  type RecipeName,
  type RegisterModelVersion,
  type UpdateModelVersion,
} from "@spotter/contract";
import type { Transaction } from "kysely";
import type { z } from "zod";
import type { AuditRecorder } from "../../platform/audit.ts";
import type { AnyTables } from "../../platform/db/database.ts";
import type { StatementMaker } from "../../platform/db/statement.ts";
import { SpotterError } from "../../platform/errors.ts";
import type { Caller } from "../../platform/route.ts";
import type { Predictions, RunService } from "../runs/index.ts";
import { type By, noteOf, who } from "./audit-note.ts";
import { modelNotFound, nameTaken, versionInProduction, versionNotFound } from "./errors.ts";
import { registrationStatements, searchText } from "./registration.ts";
import { weightsFrom } from "./sink.ts";
import type { Staging } from "./staging.ts";
import type { ModelsStore } from "./store.ts";
import type { ModelRow, VersionRow } from "./tables.ts";
import type { VersionList } from "./version-list.ts";
import { toStageChange, toVersion } from "./views.ts";
import type { WeightsKeeper } from "./weights-keeper.ts";

export interface ModelServiceParts {
  readonly store: ModelsStore;
  readonly list: VersionList;
  readonly staging: Staging;
  readonly keeper: WeightsKeeper;
  readonly runs: Pick<RunService, "trained" | "require">;
  readonly predictions: Pick<Predictions, "answer">;
  readonly statement: StatementMaker;
  /** Into the outbox; inside the transaction that registers. */
  readonly keepLater: (
    transaction: Transaction<AnyTables>,
    runId: number,
    sha256: string,
  ) => Promise<void>;
  readonly kickOutbox: () => void;
  readonly audit: AuditRecorder;
  readonly now: () => number;
}

type VersionsQuery = Omit<z.output<typeof ListModelVersionsQuery>, "project_id"> & {
  readonly project_id?: string | undefined;
};

export class ModelService {
  readonly #parts: ModelServiceParts;

  constructor(parts: ModelServiceParts) {
    this.#parts = parts;
  }

  async models(
    query: { project_id?: string | undefined; q?: string | undefined },
    caller: Caller,
  ): Promise<Model[]> {
    const projectIds = visibleProjects(caller, query.project_id);
    if (projectIds?.length === 0) return [];
    return this.#withVersions(await this.#parts.store.models(projectIds, query.q));
  }

  /** Throws `model-not-found`. */
  async requireModel(id: number): Promise<ModelRow> {
    const row = await this.#parts.store.model(id);
    if (row === undefined) throw modelNotFound();
    return row;
  }

  async model(row: ModelRow): Promise<ModelDetail> {
    const { store, staging } = this.#parts;
    const [[model], changes, target] = await Promise.all([
      this.#withVersions([row]),
      store.stageChanges(row.id),
      staging.target(row.id),
    ]);
    if (model === undefined) throw modelNotFound();
    return {
      ...model,
      stage_changes: changes
        .flatMap(({ version, ...change }) =>
          version === null ? [] : [toStageChange({ ...change, version })],
        )
        .reverse(),
      rollback_to: target === null ? null : { id: target.id, version: target.version },
    };
  }

  async rename(row: ModelRow, name: string, by: By): Promise<ModelDetail> {
    const { store, audit } = this.#parts;
    const other = await store.modelByName(row.project_id, name);
    if (other !== undefined && other.id !== row.id) throw nameTaken(name);
    await store.rename(row.id, name);
    await audit.record({
      ...who(by),
      action: "model-renamed",
      subjectKind: "model",
      subjectId: row.id,
      projectId: row.project_id,
      details: { from: row.name, to: name },
    });
    return this.model(await this.requireModel(row.id));
  }

  async versions(
    query: VersionsQuery,
    caller: Caller,
    modelId: number | undefined,
  ): Promise<ModelVersionPage> {
    const { list } = this.#parts;
    const filter = {
      projectIds: visibleProjects(caller, query.project_id),
      modelId,
      runId: numberOr(query.run_id),
      version: numberOr(query.version),
      recipes: query.recipe?.split(","),
      metric: query.metric,
      min: numberOr(query.min),
      max: numberOr(query.max),
      tag: query.tag,
      stage: query.stage,
      q: query.q,
      deleted: query.deleted === "true",
    };
    const order = {
      sort: query.sort,
      direction: query.direction,
      limit: Number(query.limit),
      offset: Number(query.offset),
    };
    const [rows, total] = await Promise.all([list.page(filter, order), list.count(filter)]);
    return { versions: rows.map(toVersion), total };
  }

  /** Of the versions that the caller may see. */
  metricNames(caller: Caller, q: string | undefined, limit: number): Promise<string[]> {
    return this.#parts.list.metricNames(visibleProjects(caller, undefined), q, limit);
  }

  /** Deleted versions count as there: they can be restored. Throws `model-version-not-found`. */
  async requireVersion(id: number): Promise<VersionRow> {
    const row = await this.#parts.store.version(id);
    if (row === undefined) throw versionNotFound();
    return row;
  }

  async version(row: VersionRow): Promise<ModelVersionDetail> {
    const { store } = this.#parts;
    const [files, children] = await Promise.all([store.files(row.id), store.children(row.id)]);
    return {
      ...toVersion(row),
      files,
      children: children.map(({ id, model_id, name, version, run_id }) => ({
        ...{ id, model_id, name, version, run_id },
      })),
    };
  }

  /** Throws `run-not-found`, also for a run of another project than the model's. */
  async requireRunOf(model: ModelRow, runId: number): Promise<void> {
    const run = await this.#parts.runs.require(runId);
    if (run.project_id !== model.project_id) throw new SpotterError("run-not-found");
  }

  /** For runs that ended before there were versions, that were stopped, or that belong to another model as well. */
  async register(wish: z.output<typeof RegisterModelVersion>, by: By): Promise<ModelVersion> {
    const { store, runs, statement, keepLater, kickOutbox, audit, now } = this.#parts;
    const run = await runs.trained(wish.run_id);
    if (run === null)
      throw new SpotterError(
        "run-state-conflict",
        `Run ${wish.run_id} was not trained by a recipe of Spotter.`,
      );
    if (!FINAL_STATES.includes(run.state))
      throw new SpotterError(
        "run-state-conflict",
        `Run ${run.id} is ${run.state}; its weights can be registered once it has ended.`,
        { details: { state: run.state } },
      );
    if (run.weights === null) throw new SpotterError("no-weights");
    const weights = weightsFrom(run, run.facts, run.weights, run.weights.metrics);
    const name = wish.name ?? run.modelName;
    const model = await store.modelByName(run.projectId, name);
    const before =
      model === undefined ? undefined : await store.versionOf(model.id, run.id, weights.sha256);
    await store.transaction(async (transaction) => {
      await store.execute(
        transaction,
        registrationStatements(statement, weights, {
          name,
          ...{ note: wish.note ?? "", tags: wish.tags ?? [], createdAt: now() },
          createdBy: by.caller.userId,
          createdByName: by.caller.userName,
        }),
      );
      await keepLater(transaction, run.id, weights.sha256);
    });
    kickOutbox();
    const row = await this.#registered(run.projectId, name, run.id, weights.sha256);
    if (before === undefined)
      await audit.record({
        ...noteOf(row, by, "model-version-registered"),
        details: { name: row.name, version: row.version, run_id: run.id },
      });
    return toVersion(row.deleted_at === null ? row : await this.restore(row, by));
  }

  async update(
    row: VersionRow,
    change: z.output<typeof UpdateModelVersion>,
    by: By,
  ): Promise<VersionRow> {
    const { store, staging, audit } = this.#parts;
    const { stage, reason, ...words } = change;
    if (stage !== undefined) await staging.set(row, stage, reason ?? "", by);
    if (Object.keys(words).length > 0) {
      const note = words.note ?? row.note;
      const tags = words.tags ?? (JSON.parse(row.tags) as string[]);
      await store.update(row.id, {
        ...{ note, tags: JSON.stringify(tags), search_text: searchText(note, tags) },
      });
      await audit.record({
        ...noteOf(row, by, "model-version-updated"),
        details: { ...words },
      });
    }
    return this.requireVersion(row.id);
  }

  /** Production goes back to the version that was there before; the one that is there now is archived. */
  async rollBack(row: ModelRow, reason: string, by: By): Promise<ModelDetail> {
    await this.#parts.staging.rollBack(row.id, reason, by);
    return this.model(await this.requireModel(row.id));
  }

  async delete(row: VersionRow, by: By): Promise<void> {
    const { store, audit, now } = this.#parts;
    if (row.stage === "production") throw versionInProduction();
    if (row.deleted_at !== null) return;
    await store.update(row.id, { deleted_at: now() });
    await audit.record(noteOf(row, by, "model-version-deleted"));
  }

  async restore(row: VersionRow, by: By): Promise<VersionRow> {
    const { store, audit } = this.#parts;
    if (row.deleted_at === null) return row;
    await store.update(row.id, { deleted_at: null });
    await audit.record(noteOf(row, by, "model-version-restored"));
    return this.requireVersion(row.id);
  }

  /** The weights folder of a version of this project; throws `model-version-not-found`, `model-version-not-ready`. */
  async locate(
    versionId: number,
    projectId: number,
  ): Promise<{ folder: string; name: string; recipe: RecipeName }> {
    const row = await this.requireVersion(versionId);
    if (row.project_id !== projectId) throw versionNotFound();
    const { name, version, recipe } = row;
    return { folder: await this.folderOf(row), name: `${name} v${version}`, recipe };
  }

  folderOf(row: VersionRow): Promise<string> {
    if (row.deleted_at !== null)
      throw versionNotFound(`Version ${row.version} of ${row.name} is deleted; restore it first.`);
    return this.#parts.keeper.folderOf(row);
  }

  async predict(
    row: VersionRow,
    wish: z.output<typeof PredictRequest>,
    caller: Caller,
  ): Promise<PredictAnswer> {
    const folder = await this.folderOf(row);
    const answer = await this.#parts.predictions.answer(
      {
        runId: row.run_id,
        name: `${row.name} v${row.version}`,
        projectId: row.project_id,
        recipe: row.recipe,
        config: JSON.parse(row.config),
        ...{ folder, relativeTo: folder },
      },
      wish,
      caller,
    );
    await this.#parts.store.update(row.id, { latency_ms: answer.latency_ms });
    return answer;
  }

  async #withVersions(rows: readonly ModelRow[]): Promise<Model[]> {
    const { store } = this.#parts;
    const ids = rows.map(({ id }) => id);
    const [counts, versions] = await Promise.all([
      store.numVersions(ids),
      store.leadingVersions(ids),
    ]);
    return rows.map((row) => {
      const own = versions.filter((version) => version.model_id === row.id);
      const latest = own.toSorted((a, b) => a.id - b.id).at(-1);
      const production = own.find(({ stage }) => stage === "production");
      return {
        id: row.id,
        project_id: row.project_id,
        name: row.name,
        created_at: row.created_at,
        num_versions: counts.get(row.id) ?? 0,
        latest: latest === undefined ? null : toVersion(latest),
        production: production === undefined ? null : toVersion(production),
      };
    });
  }

  async #registered(
    projectId: number,
    name: string,
    runId: number,
    sha256: string,
  ): Promise<VersionRow> {
    const model = await this.#parts.store.modelByName(projectId, name);
    const row =
      model === undefined ? undefined : await this.#parts.store.versionOf(model.id, runId, sha256);
    if (row === undefined) throw versionNotFound();
    return row;
  }
}

function visibleProjects(caller: Caller, wanted: string | undefined): number[] | null {
  if (wanted === undefined) return caller.isAdmin ? null : [...caller.roles.keys()];
  const id = Number(wanted);
  return caller.isAdmin || caller.roles.has(id) ? [id] : [];
}

function numberOr(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
