// Work that nobody waits for but the server's end: whoever closes must know that it is over.

export class BackgroundWork {
  readonly #running = new Set<Promise<void>>();

  /** @param onError is told of a failure; nobody else would see it */
  add(work: Promise<void>, onError: (error: unknown) => void): void {
    const watched = work.catch(onError).finally(() => this.#running.delete(watched));
    this.#running.add(watched);
  }

  /** Resolves when nothing runs, however much was added meanwhile. */
  async finished(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
