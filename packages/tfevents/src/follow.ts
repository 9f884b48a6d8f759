// Follows a TensorBoard log directory: looks again and again for new files and new bytes, and gives
// what they hold, run by run, in pieces of bounded size. The file system and the waiting are handed
// in, so nothing here touches a disk or a clock.
import { type EventFileSystem, joinPath, type Unreadable, walkLogdir } from "./logdir-walk.ts";
import type { RunCursor } from "./run-cursor.ts";
import type { RunItem } from "./run-items.ts";
import { RunReader } from "./run-reader.ts";

export interface FollowOptions {
  fileSystem: EventFileSystem;
  logdir: string;
  /** Where an earlier follower of the same directory stopped. */
  cursor?: LogdirCursor;
  /** Most bytes that are read and turned into one update. */
  maxReadBytes?: number;
}

/** Cursors by run; plain JSON. */
export type LogdirCursor = Record<string, RunCursor>;

export interface RunUpdate {
  /** Directory relative to the log directory; "." for itself. */
  run: string;
  items: RunItem[];
}

// Bounds the memory of a follower that meets gigabytes, and how long decoding keeps the event loop:
// about 10 ms a piece; 4 MiB took 150 ms.
export const defaultMaxReadBytes = 256 * 1024;

/**
 * @example
 * const follower = new LogdirFollower({ fileSystem: nodeEventFileSystem(fs), logdir: "runs" });
 * for await (const update of follower.follow(async () => { await sleep(1000); return !stopped; })) {
 *   await deliver(update);
 *   await store(update.run, follower.cursorOf(update.run));
 * }
 */
export class LogdirFollower {
  readonly #fileSystem: EventFileSystem;
  readonly #logdir: string;
  readonly #maxReadBytes: number;
  readonly #runs = new Map<string, RunReader>();
  // What was unreadable at the last look, so that it is told once and not at every look.
  #told = new Map<string, string>();

  constructor(options: FollowOptions) {
    this.#fileSystem = options.fileSystem;
    this.#logdir = options.logdir;
    this.#maxReadBytes = options.maxReadBytes ?? defaultMaxReadBytes;
    for (const [run, cursor] of Object.entries(options.cursor ?? {})) {
      this.#runs.set(run, new RunReader(cursor));
    }
  }

  /** Looks over and over; `wait` ends when it is time to look again, with false to stop. */
  async *follow(wait: () => Promise<boolean>): AsyncGenerator<RunUpdate> {
    do {
      yield* this.poll();
    } while (await wait());
  }

  /** Looks once and gives everything that is new. */
  async *poll(): AsyncGenerator<RunUpdate> {
    const { runs, unreadable } = await walkLogdir(this.#fileSystem, this.#logdir);
    for (const { run, files } of runs) {
      const reader = this.#readerOf(run);
      const items = await this.#observe(reader, run, files, unreadable);
      if (items.length > 0) yield { run, items };
      for (const name of reader.fileNames()) yield* this.#readFile(reader, run, name, unreadable);
    }
    yield* this.#tell(unreadable);
  }

  /**
   * How far a run was read, everything that was yielded included: take it after delivering an
   * update and before asking for the next.
   */
  cursorOf(run: string): RunCursor | null {
    return this.#runs.get(run)?.cursor() ?? null;
  }

  cursor(): LogdirCursor {
    const cursors = [...this.#runs].map(([run, reader]) => [run, reader.cursor()] as const);
    return Object.fromEntries(cursors);
  }

  #readerOf(run: string): RunReader {
    const reader = this.#runs.get(run) ?? new RunReader();
    this.#runs.set(run, reader);
    return reader;
  }

  #pathOf(run: string, name: string): string {
    return run === "." ? joinPath(this.#logdir, name) : joinPath(this.#logdir, run, name);
  }

  async #observe(
    reader: RunReader,
    run: string,
    files: string[],
    unreadable: Unreadable[],
  ): Promise<RunItem[]> {
    const items: RunItem[] = [];
    for (const name of files) {
      const path = this.#pathOf(run, name);
      try {
        items.push(...reader.observe([{ name, ...(await this.#fileSystem.stat(path)) }]));
      } catch (error) {
        unreadable.push({ run, path, message: messageOf(error) });
      }
    }
    return items;
  }

  async *#readFile(
    reader: RunReader,
    run: string,
    name: string,
    unreadable: Unreadable[],
  ): AsyncGenerator<RunUpdate> {
    const path = this.#pathOf(run, name);
    for (let unread = reader.unread(name); unread; unread = reader.unread(name)) {
      const length = Math.min(unread.length, this.#maxReadBytes);
      let bytes: Uint8Array;
      try {
        bytes = await this.#fileSystem.read(path, unread.offset, length);
      } catch (error) {
        unreadable.push({ run, path, message: messageOf(error) });
        return;
      }
      // Shorter than it was a moment ago: the next look finds out what happened to it.
      if (bytes.length === 0) return;
      const items = reader.push(name, unread.offset, bytes);
      if (items.length > 0) yield { run, items };
    }
  }

  *#tell(unreadable: Unreadable[]): Generator<RunUpdate> {
    const told = new Map<string, string>();
    for (const { run, path, message } of unreadable) {
      told.set(path, message);
      if (this.#told.get(path) === message) continue;
      const code = "unreadable";
      yield { run, items: [{ kind: "problem", file: path, offset: 0, code, message }] };
    }
    this.#told = told;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
