// All SQL of datasets, versions and their files.
import { countFileTypes } from "@spotter/contract";
import type { Kysely } from "kysely";
import type { Database } from "../../platform/db/database.ts";
import { projectDataFull } from "./errors.ts";
import type { DatasetRow, DatasetsTables, DatasetVersionRow } from "./tables.ts";

export interface StoredFile {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}

const FILES_A_STATEMENT = 500;

export class DatasetStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #read(): Kysely<DatasetsTables> {
    return this.#database.kysely.withTables<DatasetsTables>();
  }

  /** @param projectIds null: every project */
  datasets(projectIds: readonly number[] | null): Promise<DatasetRow[]> {
    let query = this.#read.selectFrom("datasets").selectAll().orderBy("id", "desc");
    if (projectIds !== null) query = query.where("project_id", "in", [...projectIds]);
    return query.execute();
  }

  dataset(id: number): Promise<DatasetRow | undefined> {
    return this.#read.selectFrom("datasets").selectAll().where("id", "=", id).executeTakeFirst();
  }

  async versions(datasetIds: readonly number[]): Promise<DatasetVersionRow[]> {
    if (datasetIds.length === 0) return [];
    const rows = await this.#read
      .selectFrom("dataset_versions")
      .selectAll()
      .where("dataset_id", "in", [...datasetIds])
      .orderBy("version")
      .execute();
    for (const row of rows) row.file_types ??= await this.#countFileTypes(row.id);
    return rows;
  }

  /** For a version that was uploaded before they were kept; once. */
  async #countFileTypes(versionId: number): Promise<string> {
    const files = await this.filesOf(versionId);
    const types = JSON.stringify(countFileTypes(files.map(({ path }) => path)));
    await this.#database.transaction((transaction) =>
      transaction
        .withTables<DatasetsTables>()
        .updateTable("dataset_versions")
        .set({ file_types: types })
        .where("id", "=", versionId)
        .execute(),
    );
    return types;
  }

  versionWithDataset(versionId: number) {
    return this.#read
      .selectFrom("dataset_versions")
      .innerJoin("datasets", "datasets.id", "dataset_versions.dataset_id")
      .select(["dataset_versions.id", "dataset_versions.version", "dataset_versions.classes"])
      .select(["datasets.project_id", "datasets.name", "datasets.kind"])
      .where("dataset_versions.id", "=", versionId)
      .executeTakeFirst();
  }

  /** Of all versions of all datasets of a project. */
  async projectBytes(projectId: number, tables = this.#read): Promise<number> {
    const { bytes } = await tables
      .selectFrom("dataset_versions")
      .innerJoin("datasets", "datasets.id", "dataset_versions.dataset_id")
      .select(({ fn }) => fn.sum<number | string | null>("dataset_versions.size").as("bytes"))
      .where("datasets.project_id", "=", projectId)
      .executeTakeFirstOrThrow();
    return Number(bytes ?? 0);
  }

  /** A dataset with its first version, whole or not at all. Throws `project-data-full`. @returns both ids */
  async insert(
    dataset: Omit<DatasetRow, "id">,
    version: Omit<DatasetVersionRow, "id" | "dataset_id" | "version">,
    files: readonly StoredFile[],
    maxProjectBytes: number,
  ): Promise<{ datasetId: number; versionId: number }> {
    return this.#database.transaction(async (transaction) => {
      const tables = transaction.withTables<DatasetsTables>();
      const numBytes = version.size + (await this.projectBytes(dataset.project_id, tables));
      if (numBytes > maxProjectBytes) throw projectDataFull(maxProjectBytes, numBytes);
      const { id: datasetId } = await tables
        .insertInto("datasets")
        .values(dataset)
        .returning("id")
        .executeTakeFirstOrThrow();
      const { id: versionId } = await tables
        .insertInto("dataset_versions")
        .values({ ...version, dataset_id: datasetId, version: 1 })
        .returning("id")
        .executeTakeFirstOrThrow();
      for (let start = 0; start < files.length; start += FILES_A_STATEMENT)
        await tables
          .insertInto("dataset_files")
          .values(
            files
              .slice(start, start + FILES_A_STATEMENT)
              .map((file) => ({ version_id: versionId, ...file })),
          )
          .execute();
      return { datasetId, versionId };
    });
  }

  /** A dataset with everything of it, for an upload that failed at its end. */
  async remove(datasetId: number): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      const tables = transaction.withTables<DatasetsTables>();
      const versions = tables
        .selectFrom("dataset_versions")
        .select("id")
        .where("dataset_id", "=", datasetId);
      await tables.deleteFrom("dataset_files").where("version_id", "in", versions).execute();
      await tables.deleteFrom("dataset_versions").where("dataset_id", "=", datasetId).execute();
      await tables.deleteFrom("datasets").where("id", "=", datasetId).execute();
    });
  }

  filesOf(versionId: number): Promise<StoredFile[]> {
    return this.#read
      .selectFrom("dataset_files")
      .select(["path", "sha256", "size"])
      .where("version_id", "=", versionId)
      .orderBy("path")
      .execute();
  }

  /** Which of these contents some version still holds. */
  async referenced(sha256s: readonly string[]): Promise<Set<string>> {
    if (sha256s.length === 0) return new Set();
    const rows = await this.#read
      .selectFrom("dataset_files")
      .select("sha256")
      .distinct()
      .where("sha256", "in", [...sha256s])
      .execute();
    return new Set(rows.map(({ sha256 }) => sha256));
  }
}
