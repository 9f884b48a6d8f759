// Finds import cycles: groups of files of which each reaches all others (Tarjan's algorithm).

/** The groups of two or more files, and files that import themselves. */
export function findCycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const search = new Search(edges);
  for (const file of edges.keys()) search.enter(file);
  return search.cycles;
}

/** The shortest way round inside one group, for the message: a, b, …, a. */
export function shortestLoop(
  group: readonly string[],
  edges: ReadonlyMap<string, readonly string[]>,
): string[] {
  const loops = group.map((start) => loopFrom(start, new Set(group), edges));
  return loops.reduce((best, loop) => (loop.length < best.length ? loop : best));
}

function loopFrom(
  start: string,
  group: ReadonlySet<string>,
  edges: ReadonlyMap<string, readonly string[]>,
): string[] {
  const queue: string[][] = [[start]];
  const seen = new Set<string>();
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    for (const target of edges.get(path.at(-1) ?? start) ?? []) {
      if (target === start) return [...path, start];
      if (!group.has(target) || seen.has(target)) continue;
      seen.add(target);
      queue.push([...path, target]);
    }
  }
  return [...group];
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
