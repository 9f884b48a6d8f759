// Names of series: the ids' names, kept for runs that are watched, and which names a reader wants.
import type { MetricsStore } from "./store.ts";

const MAX_RUNS = 50;

export class SeriesNames {
  readonly #store: MetricsStore;
  /** By run, by series id. Ids are given out in order and never change their name, so a list only grows. */
  readonly #names = new Map<number, (string | undefined)[]>();

  constructor(store: MetricsStore) {
    this.#store = store;
  }

  /** @param numSeries how many the run has by now */
  async namesOf(runId: number, numSeries: number): Promise<readonly (string | undefined)[]> {
    const known = this.#names.get(runId) ?? [undefined];
    if (known.length <= numSeries)
      for (const { series_id, name } of await this.#store.seriesNames(runId, known.length))
        known[series_id] = name;
    this.#names.delete(runId);
    this.#names.set(runId, known);
    const [oldest] = this.#names.keys();
    if (this.#names.size > MAX_RUNS && oldest !== undefined) this.#names.delete(oldest);
    return known;
  }
}

/** Which metrics a reader wants: names, and prefixes that end in `/`. */
export class NameFilter {
  /** As it was asked for. */
  readonly text: string;
  readonly #names: ReadonlySet<string>;
  readonly #prefixes: readonly string[];

  /** @param text comma-separated */
  constructor(text: string) {
    this.text = text;
    const wanted = text
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
    this.#names = new Set(wanted.filter((name) => !name.endsWith("/")));
    this.#prefixes = wanted.filter((name) => name.endsWith("/"));
  }

  wants(name: string): boolean {
    return this.#names.has(name) || this.#prefixes.some((prefix) => name.startsWith(prefix));
  }
}
