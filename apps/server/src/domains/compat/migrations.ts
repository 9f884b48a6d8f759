// The compat room's tables.
import type { Migration } from "../../platform/db/database.ts";

export const migrations: readonly Migration[] = [
  {
    name: "0001-compat",
    statements: (types) => [
      `create table tensorboard_folders (
        id ${types.identity},
        project_id ${types.integer} not null,
        asked_path ${types.text} not null,
        path ${types.text} not null,
        created_at ${types.double} not null,
        created_by ${types.integer},
        created_by_name ${types.text},
        state ${types.text} not null,
        message ${types.text},
        unique (project_id, path)
      )`,
      `create table tensorboard_runs (
        folder_id ${types.integer} not null references tensorboard_folders (id) on delete cascade,
        folder ${types.text} not null,
        run_id ${types.integer},
        record ${types.text} not null,
        primary key (folder_id, folder)
      )`,
    ],
  },
];
