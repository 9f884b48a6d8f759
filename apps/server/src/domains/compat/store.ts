// All SQL of followed TensorBoard folders and of how far their runs were sent.
import type { TensorboardRecord } from "@spotter/contract";
import type { RunCursor } from "@spotter/tfevents";
import type { Database } from "../../platform/db/database.ts";

export interface FolderRow {
  id: number;
  project_id: number;
  /** As it was typed: asked about again before each look. */
  asked_path: string;
  /** The real folder that it led to. */
  path: string;
  created_at: number;
  created_by: number | null;
  created_by_name: string | null;
  state: "following" | "missing" | "failed";
  message: string | null;
}

export type FollowedRecord = TensorboardRecord<RunCursor>;

export interface FollowedRun {
  folder: string;
  record: FollowedRecord;
}

type CompatTables = {
  tensorboard_folders: FolderRow;
  tensorboard_runs: { folder_id: number; folder: string; run_id: number | null; record: string };
};

export class CompatStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  folders(): Promise<FolderRow[]> {
    return this.#tables.selectFrom("tensorboard_folders").selectAll().orderBy("id").execute();
  }

  folder(id: number): Promise<FolderRow | undefined> {
    return this.#tables
      .selectFrom("tensorboard_folders")
      .selectAll()
      .where("id", "=", id)
      .executeTakeFirst();
  }

  /** @returns undefined when the project follows this path already */
  addFolder(row: Omit<FolderRow, "id">): Promise<FolderRow | undefined> {
    return this.#tables
      .insertInto("tensorboard_folders")
      .values(row as FolderRow)
      .onConflict((conflict) => conflict.columns(["project_id", "path"]).doNothing())
      .returningAll()
      .executeTakeFirst();
  }

  async removeFolder(id: number): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      const tables = transaction.withTables<CompatTables>();
      await tables.deleteFrom("tensorboard_runs").where("folder_id", "=", id).execute();
      await tables.deleteFrom("tensorboard_folders").where("id", "=", id).execute();
    });
  }

  async setState(id: number, state: FolderRow["state"], message: string | null): Promise<void> {
    await this.#tables
      .updateTable("tensorboard_folders")
      .set({ state, message })
      .where("id", "=", id)
      .execute();
  }

  async runs(folderId: number): Promise<FollowedRun[]> {
    const rows = await this.#tables
      .selectFrom("tensorboard_runs")
      .select(["folder", "record"])
      .where("folder_id", "=", folderId)
      .orderBy("folder")
      .execute();
    return rows.map(({ folder, record }) => ({
      folder,
      record: JSON.parse(record) as FollowedRecord,
    }));
  }

  async saveRun(folderId: number, folder: string, record: FollowedRecord): Promise<void> {
    const values = { run_id: record.run_id, record: JSON.stringify(record) };
    await this.#tables
      .insertInto("tensorboard_runs")
      .values({ folder_id: folderId, folder, ...values })
      .onConflict((conflict) => conflict.columns(["folder_id", "folder"]).doUpdateSet(values))
      .execute();
  }

  get #tables() {
    return this.#database.kysely.withTables<CompatTables>();
  }
}
