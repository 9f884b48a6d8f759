// All SQL of the projects table.
import type { Database } from "../../platform/db/database.ts";

export interface ProjectRow {
  id: number;
  name: string;
  description: string;
  created_at: number;
  archived_at: number | null;
}

export class ProjectStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  all(): Promise<ProjectRow[]> {
    return this.#kysely.selectFrom("projects").selectAll().orderBy("id").execute();
  }

  byId(id: number): Promise<ProjectRow | undefined> {
    return this.#kysely.selectFrom("projects").selectAll().where("id", "=", id).executeTakeFirst();
  }

  /** @returns undefined when the name is taken */
  add(row: Omit<ProjectRow, "id">): Promise<ProjectRow | undefined> {
    return this.#kysely
      .insertInto("projects")
      .values(row as ProjectRow)
      .onConflict((conflict) => conflict.column("name").doNothing())
      .returningAll()
      .executeTakeFirst();
  }

  /** @returns "taken" when another project has the name; undefined when there is no such project */
  update(id: number, changes: Partial<ProjectRow>): Promise<ProjectRow | "taken" | undefined> {
    return this.#database.transaction(async (transaction) => {
      const tables = transaction.withTables<{ projects: ProjectRow }>();
      if (changes.name !== undefined) {
        const other = await tables
          .selectFrom("projects")
          .select("id")
          .where("name", "=", changes.name)
          .where("id", "!=", id)
          .executeTakeFirst();
        if (other !== undefined) return "taken";
      }
      if (Object.keys(changes).length === 0)
        return tables.selectFrom("projects").selectAll().where("id", "=", id).executeTakeFirst();
      return tables
        .updateTable("projects")
        .set(changes)
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
    });
  }

  get #kysely() {
    return this.#database.kysely.withTables<{ projects: ProjectRow }>();
  }
}
