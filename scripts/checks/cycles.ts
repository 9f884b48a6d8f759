// Finds import cycles: groups of files of which each reaches all others (Tarjan's algorithm).

/** The groups of two or more files, and files that import themselves. */
export function findCycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const search = new Search(edges);
  for (const file of edges.keys()) search.enter(file);
  return search.cycles;
}

class Search {
  readonly cycles: string[][] = [];
  readonly #edges: ReadonlyMap<string, readonly string[]>;
  readonly #index = new Map<string, number>();
  readonly #lowest = new Map<string, number>();
  readonly #stack: string[] = [];
  readonly #onStack = new Set<string>();

  constructor(edges: ReadonlyMap<string, readonly string[]>) {
    this.#edges = edges;
  }

  enter(file: string): void {
    if (this.#index.has(file)) return;
    const own = this.#index.size;
    this.#index.set(file, own);
    this.#lowest.set(file, own);
    this.#stack.push(file);
    this.#onStack.add(file);
    for (const target of this.#edges.get(file) ?? []) {
      const isNew = !this.#index.has(target);
      if (isNew) this.enter(target);
      if (!this.#onStack.has(target)) continue;
      const reached = (isNew ? this.#lowest : this.#index).get(target) ?? own;
      this.#lowest.set(file, Math.min(this.#lowest.get(file) ?? own, reached));
    }
    if (this.#lowest.get(file) === own) this.#close(file);
  }

  #close(first: string): void {
    const group = this.#stack.splice(this.#stack.indexOf(first));
    for (const file of group) this.#onStack.delete(file);
    const isLoop = group.length > 1 || (this.#edges.get(first) ?? []).includes(first);
    if (isLoop) this.cycles.push(group);
  }
}
