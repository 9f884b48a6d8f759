// SQL of the tree of names: one level at a time, by jumping through the index from group to group.
import type { Database } from "../../platform/db/database.ts";
import type { SeriesRow } from "./store.ts";

export interface NamePage {
  readonly prefix: string;
  /** Behind this path; the empty text for the first page. */
  readonly after: string;
  readonly limit: number;
}
export interface NodeRow extends SeriesRow {
  /** Ends with `/` for a group. */
  readonly path: string;
  readonly num_series: number;
}

const SERIES = [
  "series_id",
  "name",
  "num_points",
  "last_attempt",
  "last_step",
  "last_time",
  "last_value",
];

export class NamesStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async count(runId: number, prefix: string): Promise<number> {
    const [row] = await this.#database.read<{ count: number }>(
      "select count(*) as count from metric_series where run_id = ? and name >= ? and name < ?",
      [runId, prefix, endOf(prefix)],
    );
    return Number(row?.count ?? 0);
  }

  /** One level of the tree: groups and series directly below the prefix, by path. */
  level(runId: number, { prefix, after, limit }: NamePage): Promise<NodeRow[]> {
    const { find, char } = this.#words();
    const rest = (name: string) => `substr(${name}, ${prefix.length + 1})`;
    const path = (name: string) =>
      `case when ${find}(${rest(name)}, '/') = 0 then ${name}
       else substr(${name}, 1, ${prefix.length} + ${find}(${rest(name)}, '/')) end`;
    const nextName = (from: string) =>
      `(select name from metric_series where run_id = ? and name >= ${from} and name < ? order by name limit 1)`;
    return this.#database.read(
      `with recursive jump(name) as (
         select ${nextName("?")}
         union all
         select ${nextName(behind(`(${path("jump.name")})`, char))} from jump where jump.name is not null)
       select node.path as path,
         case when node.path = node.name then 1 else (
           select count(*) from metric_series as below where below.run_id = ?
           and below.name >= node.path
           and below.name < substr(node.path, 1, length(node.path) - 1) || '0') end as num_series,
         ${SERIES.map((column) => `series.${column}`).join(", ")}
       from (select name, ${path("name")} as path from jump where name is not null limit ?) as node
       join metric_series as series on series.run_id = ? and series.name = node.name
       order by node.name`,
      [
        ...[runId, startOf(prefix, after), endOf(prefix)],
        ...[runId, endOf(prefix)],
        ...[runId, limit, runId],
      ],
    );
  }

  /** The same two functions under the names that the engines give them. */
  #words(): { find: string; char: string } {
    return this.#database.engine === "postgres"
      ? { find: "strpos", char: "chr" }
      : { find: "instr", char: "char" };
  }

  /** All series below the prefix, by name. */
  flat(runId: number, { prefix, after, limit }: NamePage): Promise<SeriesRow[]> {
    return this.#database.read(
      `select ${SERIES.join(", ")} from metric_series
       where run_id = ? and name >= ? and name < ? and name > ? order by name limit ?`,
      [runId, prefix, endOf(prefix), after, limit],
    );
  }

  /** Series whose name holds the text, capital or small. */
  search(runId: number, text: string, { prefix, after, limit }: NamePage): Promise<SeriesRow[]> {
    const { find } = this.#words();
    return this.#database.read(
      `select ${SERIES.join(", ")} from metric_series
       where run_id = ? and name >= ? and name < ? and name > ? and ${find}(lower(name), ?) > 0
       order by name limit ?`,
      [runId, prefix, endOf(prefix), after, lowerAscii(text), limit],
    );
  }
}

// Behind a group comes the first name that does not begin with it: "a/" ends where "a0" begins. Behind a series comes
// anything longer; names hold no control characters.
function behind(path: string, char: string): string {
  return `case when ${path} like '%/' then substr(${path}, 1, length(${path}) - 1) || '0' else ${path} || ${char}(1) end`;
}

/** The first text that is not below the prefix; in bytes, nothing valid stands above U+10FFFF. */
function endOf(prefix: string): string {
  return `${prefix}\u{10FFFF}`;
}

function startOf(prefix: string, after: string): string {
  if (after === "") return prefix;
  return after.endsWith("/") ? `${after.slice(0, -1)}0` : `${after}\u0001`;
}

// Both engines' `lower` changes ASCII letters only, under the collations that we use.
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
