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

const SERIES = "series_id, name, num_points, last_attempt, last_step, last_time, last_value";

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

  /**
   * One level of the tree: groups and series directly below the prefix, by path. Reads names in index order and jumps
   * behind each group, so that its cost is the page's and not the run's.
   */
  async level(runId: number, { prefix, after, limit }: NamePage): Promise<NodeRow[]> {
    const nodes: NodeRow[] = [];
    let from = startOf(prefix, after);
    // Among groups each jump needs one name only; among series many come in a row.
    let atOnce = limit;
    while (nodes.length < limit) {
      const rows = await this.#from(runId, from, endOf(prefix), atOnce);
      const [first] = rows;
      if (first === undefined) break;
      const numLeaves = rows.findIndex((row) => row.name.includes("/", prefix.length));
      const leaves = numLeaves < 0 ? rows : rows.slice(0, numLeaves);
      for (const row of leaves) nodes.push({ ...row, path: row.name, num_series: 1 });
      const group = rows[leaves.length];
      if (group === undefined) {
        if (rows.length < atOnce) break;
        from = behindSeries(leaves.at(-1)?.name ?? first.name);
        atOnce = Math.min(limit, atOnce * 4);
      } else {
        const path = group.name.slice(0, group.name.indexOf("/", prefix.length) + 1);
        nodes.push({ ...group, path, num_series: await this.#countGroup(runId, path) });
        from = behindGroup(path);
        atOnce = leaves.length + 1;
      }
    }
    return nodes.slice(0, limit);
  }

  #from(runId: number, from: string, to: string, limit: number): Promise<SeriesRow[]> {
    return this.#database.read(
      `select ${SERIES} from metric_series where run_id = ? and name >= ? and name < ?
       order by name limit ?`,
      [runId, from, to, limit],
    );
  }

  async #countGroup(runId: number, path: string): Promise<number> {
    const [row] = await this.#database.read<{ count: number }>(
      "select count(*) as count from metric_series where run_id = ? and name >= ? and name < ?",
      [runId, path, behindGroup(path)],
    );
    return Number(row?.count ?? 0);
  }

  /** All series below the prefix, by name. */
  flat(runId: number, { prefix, after, limit }: NamePage): Promise<SeriesRow[]> {
    return this.#database.read(
      `select ${SERIES} from metric_series
       where run_id = ? and name >= ? and name < ? and name > ? order by name limit ?`,
      [runId, prefix, endOf(prefix), after, limit],
    );
  }

  /** Series whose name holds the text, capital or small. */
  search(runId: number, text: string, { prefix, after, limit }: NamePage): Promise<SeriesRow[]> {
    const find = this.#database.engine === "postgres" ? "strpos" : "instr";
    return this.#database.read(
      `select ${SERIES} from metric_series
       where run_id = ? and name >= ? and name < ? and name > ? and ${find}(lower(name), ?) > 0
       order by name limit ?`,
      [runId, prefix, endOf(prefix), after, lowerAscii(text), limit],
    );
  }
}

/** The first name that does not begin with the group's: "a/" ends where "a0" begins. */
function behindGroup(path: string): string {
  return `${path.slice(0, -1)}0`;
}

/** Names hold no control characters, so nothing stands between a name and this. */
function behindSeries(name: string): string {
  return `${name}\u0001`;
}

/** The first text that is not below the prefix; in bytes, nothing valid stands above U+10FFFF. */
function endOf(prefix: string): string {
  return `${prefix}\u{10FFFF}`;
}

function startOf(prefix: string, after: string): string {
  if (after === "") return prefix;
  return after.endsWith("/") ? behindGroup(after) : behindSeries(after);
}

// Both engines' `lower` changes ASCII letters only, under the collations that we use.
function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
