// All SQL of saved comparisons.
import type { ComparedValue, Comparison } from "@spotter/contract";
import type { Generated, Insertable, Selectable, Updateable } from "kysely";
import type { Database } from "../../platform/db/database.ts";

type ComparisonsTable = {
  id: Generated<number>;
  project_id: number;
  name: string;
  /** JSON list. */
  run_ids: string;
  base: number | null;
  metric: string | null;
  value: ComparedValue;
  created_at: number;
  updated_at: number;
  created_by: number | null;
  created_by_name: string | null;
};
type Tables = { comparisons: ComparisonsTable };
export type ComparisonRow = Selectable<ComparisonsTable>;

export class ComparisonsStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Newest first. @param projectIds null: every project */
  async all(projectIds: readonly number[] | null): Promise<ComparisonRow[]> {
    if (projectIds?.length === 0) return [];
    let query = this.#read.selectFrom("comparisons").selectAll().orderBy("id", "desc");
    if (projectIds !== null) query = query.where("project_id", "in", [...projectIds]);
    return query.execute();
  }

  byId(id: number): Promise<ComparisonRow | undefined> {
    return this.#read.selectFrom("comparisons").selectAll().where("id", "=", id).executeTakeFirst();
  }

  add(row: Insertable<ComparisonsTable>): Promise<ComparisonRow> {
    return this.#database.transaction((transaction) =>
      transaction
        .withTables<Tables>()
        .insertInto("comparisons")
        .values(row)
        .returningAll()
        .executeTakeFirstOrThrow(),
    );
  }

  /** @returns undefined when somebody has deleted it meanwhile */
  update(id: number, change: Updateable<ComparisonsTable>): Promise<ComparisonRow | undefined> {
    return this.#database.transaction((transaction) =>
      transaction
        .withTables<Tables>()
        .updateTable("comparisons")
        .set(change)
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst(),
    );
  }

  async remove(id: number): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      await transaction
        .withTables<Tables>()
        .deleteFrom("comparisons")
        .where("id", "=", id)
        .execute();
    });
  }

  get #read() {
    return this.#database.kysely.withTables<Tables>();
  }
}

export function toComparison(row: ComparisonRow): Comparison {
  return { ...row, run_ids: JSON.parse(row.run_ids) as number[] };
}
