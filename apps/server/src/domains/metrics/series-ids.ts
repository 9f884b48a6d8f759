// Remembers the ids of the series that runs have sent lately, so that the write thread rarely looks one up. Holds only
// what was committed, and is only a cache: the write transaction gives the same answer, later.

// About 60 bytes a name: 100,000 names in one run must fit, and hundreds of small runs.
const MAX_NAMES = 300_000;

export class SeriesIds {
  readonly #runs = new Map<number, Map<string, number>>();
  #numNames = 0;

  idsOf(runId: number): ReadonlyMap<string, number> | undefined {
    const ids = this.#runs.get(runId);
    if (ids !== undefined) {
      // Most recently used last.
      this.#runs.delete(runId);
      this.#runs.set(runId, ids);
    }
    return ids;
  }

  remember(runId: number, names: readonly string[], newIds: ArrayLike<number>): void {
    const ids = this.#runs.get(runId) ?? new Map<string, number>();
    this.#numNames -= ids.size;
    names.forEach((name, index) => {
      ids.set(name, newIds[index] as number);
    });
    this.#numNames += ids.size;
    this.#runs.delete(runId);
    this.#runs.set(runId, ids);
    while (this.#numNames > MAX_NAMES && this.#runs.size > 1) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const [oldest] = this.#runs;
    if (oldest === undefined) return;
    this.#numNames -= oldest[1].size;
    this.#runs.delete(oldest[0]);
  }
}
