// All SQL of models, versions, their files and stages; the search for versions is in `version-list.ts`.
import type { ModelStage } from "@spotter/contract";
import { CompiledQuery, type Kysely, type SelectQueryBuilder, type Transaction } from "kysely";
import type { AnyTables, Database, Statement } from "../../platform/db/database.ts";
import type { ModelRow, ModelsTables, StageChangeRow, VersionRow } from "./tables.ts";

export interface StoredFile {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}
export interface Changed {
  readonly at: number;
  readonly by: number | null;
  readonly byName: string | null;
  readonly isRollback: boolean;
  /** Why, in the person's words; empty when they gave none. */
  readonly reason: string;
}

const FILES_A_STATEMENT = 500;

/** Versions with their model's name and their parent's. */
export function selectVersions(tables: Kysely<ModelsTables>) {
  return tables
    .selectFrom("model_versions as v")
    .innerJoin("models as m", "m.id", "v.model_id")
    .leftJoin("model_versions as parent", "parent.id", "v.parent_id")
    .leftJoin("models as parent_model", "parent_model.id", "parent.model_id")
    .selectAll("v")
    .select([
      "m.name",
      "m.project_id",
      "parent.model_id as parent_model_id",
      "parent_model.name as parent_name",
      "parent.version as parent_version",
    ]);
}

export class ModelsStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #read(): Kysely<ModelsTables> {
    return this.#database.kysely.withTables<ModelsTables>();
  }

  transaction<T>(work: (transaction: Transaction<AnyTables>) => Promise<T>): Promise<T> {
    return this.#database.transaction(work);
  }

  /** The same statements that a worker's batch brings. */
  async execute(
    transaction: Transaction<AnyTables>,
    statements: readonly Statement[],
  ): Promise<void> {
    for (const { sql, parameters } of statements)
      await transaction.executeQuery(CompiledQuery.raw(sql, [...parameters]));
  }

  // ---- models --------------------------------------------------------------------------------------------------------

  /** Those with a version that is not deleted. @param projectIds null: every project */
  models(projectIds: readonly number[] | null, q: string | undefined): Promise<ModelRow[]> {
    let query = this.#read
      .selectFrom("models")
      .selectAll()
      .where((where) =>
        where.exists(
          where
            .selectFrom("model_versions")
            .select("model_versions.id")
            .whereRef("model_versions.model_id", "=", "models.id")
            .where("model_versions.deleted_at", "is", null),
        ),
      )
      .orderBy("id", "desc");
    if (projectIds !== null) query = query.where("project_id", "in", [...projectIds]);
    if (q !== undefined && q.trim() !== "")
      query = query.where("name_key", "like", `%${likeText(q.trim().toLowerCase())}%`);
    return query.execute();
  }

  model(id: number): Promise<ModelRow | undefined> {
    return this.#read.selectFrom("models").selectAll().where("id", "=", id).executeTakeFirst();
  }

  modelByName(projectId: number, name: string): Promise<ModelRow | undefined> {
    return this.#read
      .selectFrom("models")
      .selectAll()
      .where("project_id", "=", projectId)
      .where("name_key", "=", name.toLowerCase())
      .executeTakeFirst();
  }

  async rename(id: number, name: string): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      await transaction
        .withTables<ModelsTables>()
        .updateTable("models")
        .set({ name, name_key: name.toLowerCase() })
        .where("id", "=", id)
        .execute();
    });
  }

  async numVersions(modelIds: readonly number[]): Promise<Map<number, number>> {
    if (modelIds.length === 0) return new Map();
    const rows = await this.#read
      .selectFrom("model_versions")
      .select((select) => ["model_id", select.fn.countAll<number>().as("total")])
      .where("model_id", "in", [...modelIds])
      .where("deleted_at", "is", null)
      .groupBy("model_id")
      .execute();
    return new Map(rows.map(({ model_id: id, total }) => [id, Number(total)]));
  }

  /** The newest version of each model, and the one in production. */
  leadingVersions(modelIds: readonly number[]): Promise<VersionRow[]> {
    if (modelIds.length === 0) return Promise.resolve([]);
    return this.#live(modelIds)
      .where((where) =>
        where.or([
          where("v.stage", "=", "production"),
          where(
            "v.id",
            "in",
            where
              .selectFrom("model_versions as newest")
              .select((select) => select.fn.max("newest.id").as("id"))
              .where("newest.model_id", "in", [...modelIds])
              .where("newest.deleted_at", "is", null)
              .groupBy("newest.model_id"),
          ),
        ]),
      )
      .execute();
  }

  #live(modelIds: readonly number[]): SelectQueryBuilder<VersionTables, "v" | "m", VersionRow> {
    return selectVersions(this.#read)
      .where("v.model_id", "in", [...modelIds])
      .where("v.deleted_at", "is", null) as never;
  }

  // ---- versions ------------------------------------------------------------------------------------------------------

  version(id: number): Promise<VersionRow | undefined> {
    return selectVersions(this.#read).where("v.id", "=", id).executeTakeFirst();
  }

  versionOf(modelId: number, runId: number, sha256: string): Promise<VersionRow | undefined> {
    return selectVersions(this.#read)
      .where("v.model_id", "=", modelId)
      .where("v.run_id", "=", runId)
      .where("v.weights_sha256", "=", sha256)
      .executeTakeFirst();
  }

  children(id: number): Promise<VersionRow[]> {
    return selectVersions(this.#read)
      .where("v.parent_id", "=", id)
      .where("v.deleted_at", "is", null)
      .orderBy("v.id")
      .execute();
  }

  async update(
    id: number,
    change: Partial<
      Pick<VersionRow, "note" | "tags" | "search_text" | "latency_ms" | "deleted_at" | "storage">
    >,
  ): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      await transaction
        .withTables<ModelsTables>()
        .updateTable("model_versions")
        .set(change)
        .where("id", "=", id)
        .execute();
    });
  }

  files(versionId: number): Promise<StoredFile[]> {
    return this.#read
      .selectFrom("model_version_files")
      .select(["path", "sha256", "size"])
      .where("version_id", "=", versionId)
      .orderBy("path")
      .execute();
  }

  /** Versions whose weights lie in the run's folder only. */
  unstored(runId: number, sha256: string): Promise<VersionRow[]> {
    return selectVersions(this.#read)
      .where("v.run_id", "=", runId)
      .where("v.weights_sha256", "=", sha256)
      .where("v.storage", "=", "storing")
      .execute();
  }

  async keepFiles(versionId: number, files: readonly StoredFile[]): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      const tables = transaction.withTables<ModelsTables>();
      await tables.deleteFrom("model_version_files").where("version_id", "=", versionId).execute();
      for (let start = 0; start < files.length; start += FILES_A_STATEMENT)
        await tables
          .insertInto("model_version_files")
          .values(
            files
              .slice(start, start + FILES_A_STATEMENT)
              .map((file) => ({ version_id: versionId, ...file })),
          )
          .execute();
      await tables
        .updateTable("model_versions")
        .set({ storage: "stored" })
        .where("id", "=", versionId)
        .execute();
    });
  }

  /** Runs whose folder is still the only place of a version's weights. */
  async holding(runIds: readonly number[]): Promise<Set<number>> {
    if (runIds.length === 0) return new Set();
    const rows = await this.#read
      .selectFrom("model_versions")
      .select("run_id")
      .distinct()
      .where("run_id", "in", [...runIds])
      .where("storage", "=", "storing")
      .execute();
    return new Set(rows.map(({ run_id: id }) => id));
  }

  /** Which of these contents some version still holds. */
  async referenced(sha256s: readonly string[]): Promise<Set<string>> {
    if (sha256s.length === 0) return new Set();
    const rows = await this.#read
      .selectFrom("model_version_files")
      .select("sha256")
      .distinct()
      .where("sha256", "in", [...sha256s])
      .execute();
    return new Set(rows.map(({ sha256 }) => sha256));
  }

  async deletedBefore(time: number): Promise<number[]> {
    const rows = await this.#read
      .selectFrom("model_versions")
      .select("id")
      .where("deleted_at", "<", time)
      .orderBy("id")
      .limit(100)
      .execute();
    return rows.map(({ id }) => id);
  }

  async purge(versionId: number): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      const tables = transaction.withTables<ModelsTables>();
      for (const table of ["model_version_files", "model_version_metrics"] as const)
        await tables.deleteFrom(table).where("version_id", "=", versionId).execute();
      await tables.deleteFrom("model_versions").where("id", "=", versionId).execute();
    });
  }

  // ---- stages --------------------------------------------------------------------------------------------------------

  /** Oldest first; of a version that was purged only its id is left. */
  async stageChanges(modelId: number): Promise<(StageChangeRow & { version: number | null })[]> {
    return this.#read
      .selectFrom("model_stage_changes as c")
      .leftJoin("model_versions as v", "v.id", "c.version_id")
      .selectAll("c")
      .select("v.version")
      .where("c.model_id", "=", modelId)
      .orderBy("c.id")
      .execute();
  }

  /**
   * Moves a version to a stage; who was in production leaves it for the archive. The model's row is locked, so that
   * of two changes at once one comes second.
   * @returns the id of the version that left production
   */
  async setStage(
    modelId: number,
    versionId: number,
    stage: ModelStage,
    changed: Changed,
  ): Promise<number | null> {
    return this.#database.transaction(async (transaction) => {
      const tables = transaction.withTables<ModelsTables>();
      await tables
        .selectFrom("models")
        .select("id")
        .where("id", "=", modelId)
        .forUpdate()
        .execute();
      // Filtered here: SQLite's planner fails on an OR over the partial index of what is in production.
      const rows = await tables
        .selectFrom("model_versions")
        .select(["id", "stage"])
        .where("model_id", "=", modelId)
        .execute();
      const before = rows.find(({ id }) => id === versionId);
      if (before === undefined || before.stage === stage) return null;
      const former =
        stage === "production" ? rows.find((row) => row.stage === "production") : undefined;
      if (former !== undefined)
        await this.#move(transaction, modelId, former, "archived", {
          ...changed,
          isRollback: false,
        });
      await this.#move(transaction, modelId, before, stage, changed);
      return former?.id ?? null;
    });
  }

  async #move(
    transaction: Transaction<AnyTables>,
    modelId: number,
    version: { id: number; stage: ModelStage },
    stage: ModelStage,
    changed: Changed,
  ): Promise<void> {
    const tables = transaction.withTables<ModelsTables>();
    await tables
      .updateTable("model_versions")
      .set({ stage })
      .where("id", "=", version.id)
      .execute();
    await tables
      .insertInto("model_stage_changes")
      .values({
        model_id: modelId,
        version_id: version.id,
        stage_from: version.stage,
        stage_to: stage,
        is_rollback: changed.isRollback ? 1 : 0,
        changed_at: changed.at,
        changed_by: changed.by,
        changed_by_name: changed.byName,
        reason: changed.reason,
      })
      .execute();
  }
}

type VersionTables = ModelsTables & {
  v: ModelsTables["model_versions"];
  m: ModelsTables["models"];
};

/** Percent signs and underscores are wildcards to LIKE; leaving them out only widens a search. */
export function likeText(text: string): string {
  return text.replaceAll("%", "_").replaceAll("\\", "_");
}
