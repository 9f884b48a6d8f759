// Following a directory in memory: several runs, growth, trouble with reading, and resuming.
import { expect, test } from "vitest";
import { type LogdirCursor, LogdirFollower } from "./follow.ts";
import { type EventFileSystem, walkLogdir } from "./logdir-walk.ts";
import type { RunItem } from "./run-items.ts";
import { EventFileWriter } from "./writer.ts";

class MemoryFiles implements EventFileSystem {
  readonly files = new Map<string, Uint8Array>();
  readonly broken = new Set<string>();
  longestRead = 0;

  write(path: string, ...pieces: Uint8Array[]): void {
    const before = this.files.get(path) ?? new Uint8Array(0);
    this.files.set(path, Uint8Array.from([before, ...pieces].flatMap((piece) => [...piece])));
  }

  async list(directory: string) {
    if (this.broken.has(directory)) throw new Error(`EACCES: ${directory}`);
    const kinds = new Map<string, "file" | "directory">();
    for (const path of this.files.keys()) {
      if (!path.startsWith(`${directory}/`)) continue;
      const [name, ...rest] = path.slice(directory.length + 1).split("/");
      kinds.set(name!, rest.length > 0 ? "directory" : "file");
    }
    if (kinds.size === 0) throw new Error(`ENOENT: ${directory}`);
    return [...kinds].map(([name, kind]) => ({ name, kind }));
  }

  async stat(path: string) {
    return { size: this.#contentOf(path).length };
  }

  async read(path: string, offset: number, length: number) {
    if (this.broken.has(path)) throw new Error(`EIO: ${path}`);
    this.longestRead = Math.max(this.longestRead, length);
    return this.#contentOf(path).slice(offset, offset + length);
  }

  #contentOf(path: string): Uint8Array {
    const content = this.files.get(path);
    if (!content) throw new Error(`ENOENT: ${path}`);
    return content;
  }
}

const fileName = "events.out.tfevents.1";
const writer = new EventFileWriter();

function losses(first: number, last: number): Uint8Array[] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    return writer.scalars({ step: first + index, wallTime: 1, values: { loss: first + index } });
  });
}

async function pollOnce(follower: LogdirFollower): Promise<Record<string, unknown[]>> {
  const seen: Record<string, unknown[]> = {};
  for await (const { run, items } of follower.poll()) {
    seen[run] = [...(seen[run] ?? []), ...items.flatMap(brief)];
  }
  return seen;
}

function brief(item: RunItem): unknown[] {
  if (item.kind === "scalars") return item.step;
  return [item.kind === "problem" ? item.message : item.kind];
}

test("every directory with event files is a run, and other files are left alone", async () => {
  const files = new MemoryFiles();
  files.write(`logs/${fileName}`, ...losses(0, 1));
  files.write(`logs/a/b/${fileName}.suffix`, ...losses(5, 6));
  files.write("logs/a/model.bin", new Uint8Array(9));
  const { runs } = await walkLogdir(files, "logs");
  expect(runs).toEqual([
    { run: ".", files: [fileName] },
    { run: "a/b", files: [`${fileName}.suffix`] },
  ]);
  const follower = new LogdirFollower({ fileSystem: files, logdir: "logs" });
  expect(await pollOnce(follower)).toEqual({ ".": [0, 1], "a/b": [5, 6] });
});

test("only what is new is given, until waiting says that it is enough", async () => {
  const files = new MemoryFiles();
  files.write(`logs/${fileName}`, ...losses(0, 1));
  const follower = new LogdirFollower({ fileSystem: files, logdir: "logs" });
  const [truncated] = losses(4, 4);
  const growth = [losses(2, 3), [truncated!.slice(0, 20)], [truncated!.slice(20)]];
  const given: unknown[] = [];
  const updates = follower.follow(async () => {
    const next = growth.shift();
    if (next) files.write(`logs/${fileName}`, ...next);
    return next !== undefined;
  });
  for await (const { items } of updates) given.push(items.flatMap(brief));
  expect(given).toEqual([[0, 1], [2, 3], [4]]);
});

test("no read is longer than the bound, and a stored cursor goes on between any two updates", async () => {
  const files = new MemoryFiles();
  files.write(`logs/run/${fileName}`, ...losses(0, 40));
  let cursor: LogdirCursor = {};
  const given: unknown[] = [];
  for (let finished = false; !finished; ) {
    const options = { fileSystem: files, logdir: "logs", cursor, maxReadBytes: 100 };
    const follower = new LogdirFollower(options);
    const { value: update, done } = await follower.poll().next();
    given.push(...(update?.items ?? []).flatMap(brief));
    cursor = JSON.parse(JSON.stringify(follower.cursor())) as LogdirCursor;
    finished = done === true;
  }
  expect(given).toEqual(Array.from({ length: 41 }, (_, index) => index));
  expect(files.longestRead).toBe(100);
});

test("what cannot be read is told once and tried again, and hides nothing else", async () => {
  const files = new MemoryFiles();
  files.write(`logs/a/${fileName}`, ...losses(0, 0));
  files.write(`logs/b/${fileName}`, ...losses(1, 1));
  files.write(`logs/c/${fileName}`, ...losses(2, 2));
  files.broken.add("logs/a").add(`logs/b/${fileName}`);
  const follower = new LogdirFollower({ fileSystem: files, logdir: "logs" });
  expect(await pollOnce(follower)).toEqual({
    a: ["EACCES: logs/a"],
    b: [`EIO: logs/b/${fileName}`],
    c: [2],
  });
  expect(await pollOnce(follower)).toEqual({});
  files.broken.clear();
  expect(await pollOnce(follower)).toEqual({ a: [0], b: [1] });
});

test("a log directory that is not there yet is told, and found when it comes", async () => {
  const files = new MemoryFiles();
  const follower = new LogdirFollower({ fileSystem: files, logdir: "logs" });
  expect(await pollOnce(follower)).toEqual({ ".": ["ENOENT: logs"] });
  files.write(`logs/${fileName}`, ...losses(0, 1));
  expect(await pollOnce(follower)).toEqual({ ".": [0, 1] });
});
