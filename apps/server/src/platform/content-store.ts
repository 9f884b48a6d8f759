// Files by their SHA-256, under the data folder: the same bytes are kept once, whoever brings them. Which are still
// wanted the rooms know; the collector asks them before it removes anything.
import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream, mkdirSync } from "node:fs";
import { copyFile, link, mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import path from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { SpotterError } from "./errors.ts";

export interface StoredContent {
  readonly sha256: string;
  readonly size: number;
}

/** Answers which of these contents a room still refers to. */
export type ReferenceCheck = (sha256s: readonly string[]) => Promise<ReadonlySet<string>>;

/** What was written within the last day may belong to an upload whose row is not there yet. */
const MIN_AGE_S = 86_400;
/** Another file system, one without links, or too many names. */
const NO_LINK: ReadonlySet<string> = new Set(["EXDEV", "EPERM", "ENOTSUP", "EMLINK"]);

export class ContentStore {
  readonly #folder: string;

  /** @param home the data folder; absolute */
  constructor(home: string) {
    this.#folder = path.join(home, "content");
  }

  pathOf(sha256: string): string {
    return path.join(this.#folder, sha256.slice(0, 2), sha256);
  }

  /**
   * Streams a file in. Nothing is kept of one that is too large (`body-too-large`) or that is not what it was said
   * to be (`upload-incomplete`), nor of one that an inspector, a transform in between, fails.
   */
  async put(
    source: Readable,
    limits: { maxBytes: number; expectedSha256?: string },
    ...inspectors: Transform[]
  ): Promise<StoredContent> {
    const beside = path.join(this.#folder, "incoming", randomUUID());
    // Synchronous: a source that fails before the pipeline listens would end the process.
    mkdirSync(path.dirname(beside), { recursive: true, mode: 0o700 });
    try {
      const content = await this.#write([source, ...inspectors], beside, limits.maxBytes);
      const { expectedSha256 } = limits;
      if (expectedSha256 !== undefined && content.sha256 !== expectedSha256)
        throw new SpotterError(
          "upload-incomplete",
          `The bytes have the SHA-256 ${content.sha256}, not ${expectedSha256}; nothing was kept.`,
        );
      const file = this.pathOf(content.sha256);
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      await rename(beside, file);
      return content;
    } finally {
      await rm(beside, { force: true });
    }
  }

  /**
   * Takes in a file that is there already: by a second name where both lie on one file system, else by a copy. Only
   * for files that nobody changes in place: whoever writes them anew writes beside and renames.
   */
  async adopt(file: string): Promise<StoredContent> {
    const beside = path.join(this.#folder, "incoming", randomUUID());
    await mkdir(path.dirname(beside), { recursive: true, mode: 0o700 });
    try {
      await link(file, beside).catch((error: NodeJS.ErrnoException) => {
        if (!NO_LINK.has(error.code ?? "")) throw error;
        return copyFile(file, beside);
      });
      const content = await hashOf(beside);
      // The collector spares what is young: its row may not be there yet.
      const now = new Date();
      await utimes(beside, now, now);
      const stored = this.pathOf(content.sha256);
      await mkdir(path.dirname(stored), { recursive: true, mode: 0o700 });
      await rename(beside, stored);
      return content;
    } finally {
      // Renaming one name of a file to another of the same file leaves both.
      await rm(beside, { force: true });
    }
  }

  /** Puts a stored file under another name; the bytes are not copied. */
  async linkTo(sha256: string, file: string): Promise<void> {
    await mkdir(path.dirname(file), { recursive: true });
    try {
      await link(this.pathOf(sha256), file);
    } catch (error) {
      // A file system counts how many names a file may have; thousands of equal images exceed it.
      if ((error as NodeJS.ErrnoException).code !== "EMLINK") throw error;
      await copyFile(this.pathOf(sha256), file);
    }
  }

  /** Removes what no room refers to. @returns the number of files removed */
  async collect(checks: readonly ReferenceCheck[], now: number): Promise<number> {
    let numRemoved = 0;
    for (const prefix of await foldersOf(this.#folder)) {
      if (prefix === "incoming") continue;
      const folder = path.join(this.#folder, prefix);
      const names = await readdir(folder);
      const wanted = await Promise.all(checks.map((check) => check(names)));
      for (const name of names) {
        if (wanted.some((set) => set.has(name))) continue;
        const { mtimeMs } = await stat(path.join(folder, name));
        if (now - mtimeMs / 1000 < MIN_AGE_S) continue;
        await rm(path.join(folder, name));
        numRemoved++;
      }
    }
    return numRemoved;
  }

  async #write(
    sources: readonly [Readable, ...Transform[]],
    file: string,
    maxBytes: number,
  ): Promise<StoredContent> {
    const hash = createHash("sha256");
    let size = 0;
    const count = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        size += chunk.length;
        if (size > maxBytes)
          return done(
            new SpotterError("body-too-large", `A file may have ${maxBytes} bytes at most.`),
          );
        hash.update(chunk);
        done(null, chunk);
      },
    });
    await pipeline([...sources, count, createWriteStream(file, { mode: 0o600, flush: true })]);
    return { sha256: hash.digest("hex"), size };
  }
}

async function hashOf(file: string): Promise<StoredContent> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { sha256: hash.digest("hex"), size };
}

async function foldersOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
