// The projects room's table, with the project that every server starts with.
import type { Migration } from "../../platform/db/database.ts";

export const migrations: readonly Migration[] = [
  {
    name: "0001-projects",
    statements: (types, engine) => [
      `create table projects (
        id ${types.identity},
        name ${types.text} not null unique,
        description ${types.text} not null,
        created_at ${types.double} not null,
        archived_at ${types.double}
      )`,
      `insert into projects (name, description, created_at) values ('Default', '', ${engine === "sqlite" ? "unixepoch('subsec')" : "extract(epoch from now())"})`,
    ],
  },
];
