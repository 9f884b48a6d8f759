// The comparisons room's table: which runs, and how they are looked at. Reports are made when they are asked for.
import type { Migration } from "../../platform/db/database.ts";

export const migrations: readonly Migration[] = [
  {
    name: "0001-comparisons",
    statements: (types) => [
      // run_ids is a JSON list; it refers to nothing, for a saved comparison outlives its runs.
      `CREATE TABLE comparisons (
        id ${types.identity},
        project_id ${types.integer} NOT NULL,
        name ${types.text} NOT NULL,
        run_ids ${types.text} NOT NULL,
        base ${types.integer},
        metric ${types.text},
        value ${types.text} NOT NULL,
        created_at ${types.double} NOT NULL,
        updated_at ${types.double} NOT NULL,
        created_by ${types.integer},
        created_by_name ${types.text}
      )`,
      `CREATE INDEX comparisons_by_project ON comparisons (project_id, id)`,
    ],
  },
];
