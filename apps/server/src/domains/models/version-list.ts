// Finds versions: by metric, tag, stage, run and text, in any order.
import type { ModelStage, RecipeName } from "@spotter/contract";
import { type Kysely, type RawBuilder, type SelectQueryBuilder, sql } from "kysely";
import type { Database } from "../../platform/db/database.ts";
import { likeText, selectVersions } from "./store.ts";
import type { ModelsTables, VersionRow } from "./tables.ts";

export interface VersionFilter {
  /** Null: every project. */
  readonly projectIds: readonly number[] | null;
  readonly modelId: number | undefined;
  readonly runId: number | undefined;
  readonly version: number | undefined;
  readonly recipes: readonly string[] | undefined;
  readonly metric: string | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly tag: string | undefined;
  readonly stage: ModelStage | undefined;
  readonly q: string | undefined;
  readonly deleted: boolean;
}
export interface VersionOrder {
  readonly sort: string;
  readonly direction: "asc" | "desc";
  readonly limit: number;
  readonly offset: number;
}

type Tables = ModelsTables & { v: ModelsTables["model_versions"]; m: ModelsTables["models"] };
type Query<O> = SelectQueryBuilder<Tables, "v" | "m", O>;

export class VersionList {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #read(): Kysely<ModelsTables> {
    return this.#database.kysely.withTables<ModelsTables>();
  }

  async page(filter: VersionFilter, order: VersionOrder): Promise<VersionRow[]> {
    const key = sortKey(order.sort);
    let query = filtered(selectVersions(this.#read) as unknown as Query<VersionRow>, filter);
    // What has nothing to sort by comes last, whichever the direction.
    if (key !== null)
      query = query
        .orderBy(sql`CASE WHEN ${key} IS NULL THEN 1 ELSE 0 END`)
        .orderBy(key, order.direction);
    return query
      .orderBy("v.id", key === null ? order.direction : "desc")
      .limit(order.limit)
      .offset(order.offset)
      .execute();
  }

  async count(filter: VersionFilter): Promise<number> {
    const all = this.#read
      .selectFrom("model_versions as v")
      .innerJoin("models as m", "m.id", "v.model_id")
      .select((select) => select.fn.countAll<number>().as("total"));
    const row = await filtered(
      all as unknown as Query<{ total: number }>,
      filter,
    ).executeTakeFirstOrThrow();
    return Number(row.total);
  }

  /** @param projectIds null: every project */
  async metricNames(
    projectIds: readonly number[] | null,
    q: string | undefined,
    limit: number,
  ): Promise<string[]> {
    if (projectIds?.length === 0) return [];
    let query = this.#read
      .selectFrom("model_version_metrics as metric")
      .innerJoin("model_versions as v", "v.id", "metric.version_id")
      .innerJoin("models as m", "m.id", "v.model_id")
      .select("metric.name")
      .distinct()
      .where("v.deleted_at", "is", null);
    if (projectIds !== null) query = query.where("m.project_id", "in", [...projectIds]);
    if (q !== undefined && q !== "") query = query.where("metric.name", "like", `%${likeText(q)}%`);
    const rows = await query.orderBy("metric.name").limit(limit).execute();
    return rows.map(({ name }) => name);
  }
}

function sortKey(sort: string): RawBuilder<number | null> | null {
  if (sort === "latency_ms") return sql<number | null>`v.latency_ms`;
  if (sort === "size") return sql<number>`v.weights_size`;
  return sort.startsWith("metric:") ? metricValue(sort.slice("metric:".length)) : null;
}

/** A version's value of a metric; null where it lacks it or has NaN there. */
function metricValue(metric: string): RawBuilder<number | null> {
  return sql<number | null>`(SELECT metric.value FROM model_version_metrics metric
    WHERE metric.version_id = v.id AND metric.name = ${metric})`;
}

function filtered<O>(query: Query<O>, filter: VersionFilter): Query<O> {
  let narrowed = query.where("v.deleted_at", filter.deleted ? "is not" : "is", null);
  if (filter.projectIds !== null)
    narrowed =
      filter.projectIds.length === 0
        ? narrowed.where(sql<boolean>`1 = 0`)
        : narrowed.where("m.project_id", "in", [...filter.projectIds]);
  if (filter.modelId !== undefined) narrowed = narrowed.where("v.model_id", "=", filter.modelId);
  if (filter.runId !== undefined) narrowed = narrowed.where("v.run_id", "=", filter.runId);
  if (filter.version !== undefined) narrowed = narrowed.where("v.version", "=", filter.version);
  if (filter.recipes !== undefined)
    narrowed = narrowed.where("v.recipe", "in", filter.recipes as RecipeName[]);
  if (filter.stage !== undefined) narrowed = narrowed.where("v.stage", "=", filter.stage);
  if (filter.tag !== undefined)
    narrowed = narrowed.where("v.tags", "like", `%${likeText(JSON.stringify(filter.tag))}%`);
  if (filter.metric !== undefined) narrowed = bounded(narrowed, filter.metric, filter);
  const q = filter.q?.trim().toLowerCase() ?? "";
  if (q === "") return narrowed;
  return narrowed.where((where) =>
    where.or([
      where("v.search_text", "like", `%${likeText(q)}%`),
      where("m.name_key", "like", `%${likeText(q)}%`),
    ]),
  );
}

function bounded<O>(
  query: Query<O>,
  metric: string,
  { min, max }: Pick<VersionFilter, "min" | "max">,
): Query<O> {
  const value = metricValue(metric);
  let narrowed = query.where(sql<boolean>`${value} IS NOT NULL`);
  if (min !== undefined)
    narrowed = narrowed.where(sql<boolean>`${value} >= CAST(${min} AS double precision)`);
  if (max !== undefined)
    narrowed = narrowed.where(sql<boolean>`${value} <= CAST(${max} AS double precision)`);
  return narrowed;
}
