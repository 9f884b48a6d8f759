// The list of runs: filters, any sort, pages by key. A page never reads a series and never skips rows by counting.
import { encodeMetricValue } from "@spotter/contract";
import { type Kysely, type RawBuilder, type SelectQueryBuilder, sql } from "kysely";
import type { Database } from "../../platform/db/database.ts";
import { invalidRequest } from "../../platform/errors.ts";
import { likeText } from "./store.ts";
import type { RunRow, RunsTables } from "./tables.ts";

export interface RunFilter {
  /** Null: every project. */
  readonly projectIds: readonly number[] | null;
  readonly states: readonly string[] | null;
  readonly source: string | undefined;
  readonly q: string | undefined;
  readonly tag: string | undefined;
  readonly archived: boolean;
  readonly deleted: boolean;
}
export interface RunOrder {
  readonly sort: string;
  readonly direction: "asc" | "desc";
}
/** Where the last page ended. `bare`: inside the runs that lack the metric or the duration, which come last. */
interface Position {
  readonly sort: string;
  readonly direction: string;
  readonly value: string | number | null;
  readonly id: number;
  readonly bare: boolean;
  /** A duration of a run that goes on is measured at one moment for all pages. */
  readonly now: number;
}
export interface RunRows {
  readonly rows: RunRow[];
  readonly nextCursor: string | null;
}

type Query<O> = SelectQueryBuilder<RunsTables, "runs" | "run_metrics", O>;
type Keyed = RunRow & { sort_key: string | number | null };

export class RunList {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #read(): Kysely<RunsTables> {
    return this.#database.kysely.withTables<RunsTables>();
  }

  async count(filter: RunFilter): Promise<number> {
    const row = await filtered(
      this.#read.selectFrom("runs").select(sql<number>`count(*)`.as("total")) as never,
      filter,
    ).executeTakeFirstOrThrow();
    return Number((row as unknown as { total: number }).total);
  }

  async page(
    filter: RunFilter,
    order: RunOrder,
    cursor: string | undefined,
    limit: number,
    now: number,
  ): Promise<RunRows> {
    const from = cursor === undefined ? null : readCursor(cursor, order);
    const moment = from?.now ?? now;
    // One more than asked tells whether there is another page.
    const wanted = limit + 1;
    const keyed: (Keyed & { bare: boolean })[] = [];
    if (from === null || !from.bare)
      for (const row of await this.#sorted(filter, order, from, wanted, moment))
        keyed.push({ ...row, bare: false });
    if (keyed.length < wanted && hasBare(order.sort)) {
      const missing = wanted - keyed.length;
      const start = from?.bare === true ? from.id : null;
      for (const row of await this.#bare(filter, order, start, missing))
        keyed.push({ ...row, sort_key: null, bare: true });
    }
    const rows = keyed.slice(0, limit);
    const last = keyed.length > limit ? rows.at(-1) : undefined;
    const nextCursor =
      last === undefined
        ? null
        : writeCursor({
            sort: order.sort,
            direction: order.direction,
            value:
              typeof last.sort_key === "number" ? encodeMetricValue(last.sort_key) : last.sort_key,
            id: last.id,
            bare: last.bare,
            now: moment,
          });
    return { rows, nextCursor };
  }

  async #sorted(
    filter: RunFilter,
    order: RunOrder,
    from: Position | null,
    limit: number,
    now: number,
  ): Promise<Keyed[]> {
    const { sort, direction } = order;
    const key = sortKey(sort, now);
    const all = this.#read.selectFrom("runs").selectAll("runs").select(key.as("sort_key"));
    let query = filtered(all as unknown as Query<Keyed>, filter);
    if (sort.startsWith("metric:"))
      query = query
        .innerJoin("run_metrics", "run_metrics.run_id", "runs.id")
        .where("run_metrics.name", "=", sort.slice("metric:".length))
        .where("run_metrics.last_value", "is not", null);
    if (sort === "duration") query = query.where("runs.started_at", "is not", null);
    if (from !== null) {
      const beyond = direction === "asc" ? sql.raw(">") : sql.raw("<");
      query = query.where(
        sort === "id"
          ? sql<boolean>`runs.id ${beyond} ${from.id}`
          : sql<boolean>`(${key}, runs.id) ${beyond} (${sortValue(from)}, ${from.id})`,
      );
    }
    if (sort !== "id") query = query.orderBy(key, direction);
    return (await query.orderBy("runs.id", direction).limit(limit).execute()) as unknown as Keyed[];
  }

  /** Runs that have nothing to sort by, newest first whichever the direction. */
  async #bare(
    filter: RunFilter,
    order: RunOrder,
    belowId: number | null,
    limit: number,
  ): Promise<RunRow[]> {
    let query = filtered(this.#read.selectFrom("runs").selectAll("runs") as never, filter);
    if (order.sort === "duration") query = query.where("runs.started_at", "is", null);
    else
      query = query.where(
        sql<boolean>`NOT EXISTS (SELECT 1 FROM run_metrics m WHERE m.run_id = runs.id
          AND m.name = ${order.sort.slice("metric:".length)} AND m.last_value IS NOT NULL)`,
      );
    if (belowId !== null) query = query.where("runs.id", "<", belowId);
    return (await query.orderBy("runs.id", "desc").limit(limit).execute()) as unknown as RunRow[];
  }
}

function sortKey(sort: string, now: number): RawBuilder<string | number> {
  if (sort.startsWith("metric:")) return sql<number>`run_metrics.last_value`;
  if (sort === "name") return sql<string>`runs.name_key`;
  if (sort === "state") return sql<string>`runs.state`;
  if (sort === "created_at") return sql<number>`runs.created_at`;
  if (sort === "duration")
    return sql<number>`(runs.trained_s + CASE WHEN runs.training_since IS NULL THEN 0
      ELSE CAST(${now} AS double precision) - runs.training_since END)`;
  return sql<number>`runs.id`;
}

/** JSON has no infinities, so the cursor names them. */
function sortValue({ sort, value }: Position): string | number | null {
  return sort.startsWith("metric:") ? Number(value) : value;
}

function hasBare(sort: string): boolean {
  return sort === "duration" || sort.startsWith("metric:");
}

function filtered<O>(query: Query<O>, filter: RunFilter): Query<O> {
  let narrowed = query
    .where("runs.deleted_at", filter.deleted ? "is not" : "is", null)
    .where("runs.archived_at", filter.archived ? "is not" : "is", null);
  if (filter.projectIds !== null)
    narrowed =
      filter.projectIds.length === 0
        ? narrowed.where(sql<boolean>`1 = 0`)
        : narrowed.where("runs.project_id", "in", [...filter.projectIds]);
  if (filter.states !== null)
    narrowed = narrowed.where("runs.state", "in", [...filter.states] as RunRow["state"][]);
  if (filter.source !== undefined)
    narrowed = narrowed.where("runs.source", "=", filter.source as RunRow["source"]);
  if (filter.tag !== undefined)
    narrowed = narrowed.where("runs.tags", "like", `%${likeText(JSON.stringify(filter.tag))}%`);
  const q = filter.q?.trim() ?? "";
  if (q !== "")
    narrowed = narrowed.where((where) =>
      where.or([
        where("runs.search_text", "like", `%${likeText(q.toLowerCase())}%`),
        ...(/^#?[0-9]{1,15}$/.test(q) ? [where("runs.id", "=", Number(q.replace("#", "")))] : []),
      ]),
    );
  return narrowed;
}

function writeCursor(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

/** A cursor is only good for the sort that it was made for. */
function readCursor(cursor: string, order: RunOrder): Position {
  const bad = () =>
    invalidRequest([{ path: "query.cursor", message: "is not a cursor of this list and sort" }]);
  let position: unknown;
  try {
    position = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    throw bad();
  }
  if (!isPosition(position)) throw bad();
  if (position.sort !== order.sort || position.direction !== order.direction) throw bad();
  return position;
}

function isPosition(value: unknown): value is Position {
  if (typeof value !== "object" || value === null) return false;
  const { id, now, bare, value: key } = value as Record<string, unknown>;
  return (
    Number.isSafeInteger(id) &&
    typeof now === "number" &&
    typeof bare === "boolean" &&
    (key === null || typeof key === "string" || typeof key === "number")
  );
}
