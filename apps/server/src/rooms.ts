// What every room brings to the database, by storey: its steps of the schema and its hot work on PostgreSQL.
// The same work for SQLite is collected in db-thread.ts, because it runs there.
import { migrations as alertMigrations } from "./domains/alerts/index.ts";
import { migrations as authMigrations } from "./domains/auth/index.ts";
import { migrations as comparisonMigrations } from "./domains/comparisons/index.ts";
import { migrations as compatMigrations } from "./domains/compat/index.ts";
import { migrations as datasetMigrations } from "./domains/datasets/index.ts";
import {
  migrations as metricsMigrations,
  postgresProcedures as metricsProcedures,
} from "./domains/metrics/index.ts";
import { migrations as modelMigrations } from "./domains/models/index.ts";
import { migrations as projectMigrations } from "./domains/projects/index.ts";
import { migrations as queueMigrations } from "./domains/queue/index.ts";
import { migrations as runMigrations } from "./domains/runs/index.ts";
import type { Migration, PostgresProcedure } from "./platform/db/database.ts";
import { outboxMigrations } from "./platform/outbox.ts";

export const migrations: readonly Migration[] = [
  ...outboxMigrations,
  ...projectMigrations,
  ...authMigrations,
  ...queueMigrations,
  ...datasetMigrations,
  ...runMigrations,
  ...metricsMigrations,
  ...modelMigrations,
  ...comparisonMigrations,
  ...alertMigrations,
  ...compatMigrations,
];

export const postgresProcedures: Readonly<Record<string, PostgresProcedure>> = {
  ...metricsProcedures,
};
