// Brings home what workers on other machines have saved: each file that they tell of is a row until the server has it,
// so that whoever reads a run's files finds them in the server's own folder, and a lost machine costs no checkpoint.
// Where workers write into that folder themselves there is nothing to do.
import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { Log } from "../../platform/log.ts";
import { executorUnavailable } from "./errors.ts";
import { type AttemptHandle, type FileSource, MachineUnreachable } from "./executor.ts";
import { type FetchTarget, fetchTarget, isInside } from "./fetch-target.ts";
import type { FetchesStore, PendingFetch } from "./fetches-store.ts";
import type { JobChanges } from "./job-changes.ts";

const RETRY_MS = 2_000;
/** Bytes that do not fit their hash may have been replaced while they were read; after so many tries they are wrong. */
const MAX_TRIES = 5;

export interface FileFetcherParts {
  readonly store: FetchesStore;
  readonly changes: JobChanges;
  readonly source: FileSource | null;
  /** A machine that does not answer is waited for so long. */
  readonly patienceS: number;
  /** Where the server keeps a job's files. */
  readonly runDir: (jobId: number) => string;
  /** On the same file system: what is half there lies in it. */
  readonly workFolder: string;
  readonly log: Log;
}

export class FileFetcher {
  readonly #parts: FileFetcherParts;
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #tries = new Map<string, number>();
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #isKicked = false;
  #timer: NodeJS.Timeout | undefined;
  /** By file, and by the clock that nobody sets. */
  readonly #silentSinceMs = new Map<string, number>();

  constructor(parts: FileFetcherParts) {
    this.#parts = parts;
  }

  /** Looks for what is to come home now. */
  kick(): void {
    if (this.#parts.source === null || this.#stopping.signal.aborted) return;
    this.#isKicked = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#isKicked) this.kick();
    });
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stopping.abort();
    await this.#running;
    await Promise.allSettled(this.#underWay.values());
  }

  /** Waits for what the job told of at or below a path (or above it). Throws `executor-unavailable`. */
  async require(jobId: number, relative: string): Promise<void> {
    const { source, store } = this.#parts;
    if (source === null) return;
    for (const row of await store.pending(jobId)) {
      const root = fetchTarget(row)?.root ?? row.path;
      if (!isWithin(root, relative) && !isWithin(relative, root)) continue;
      try {
        await this.#fetchOnce(row);
      } catch (error) {
        if (!(error instanceof MachineUnreachable)) throw error;
        throw executorUnavailable(
          `${row.path} is still on the machine that trained it, which does not answer: ${error.message}.`,
        );
      }
    }
  }

  /** What a machine that is lost has not handed over is gone. */
  async giveUp(jobId: number): Promise<void> {
    if (this.#parts.source === null) return;
    for (const row of await this.#parts.store.pending(jobId)) await this.#markGone(row);
  }

  /** What a worker's policy has removed there. */
  async removed(jobId: number, relative: string): Promise<void> {
    const { source, runDir } = this.#parts;
    if (source === null || !isInside(relative)) return;
    await this.#underWay.get(keyOf(jobId, relative))?.catch(() => undefined);
    await rm(path.join(runDir(jobId), relative), { recursive: true, force: true });
  }

  async #run(): Promise<void> {
    try {
      while (this.#isKicked && !this.#stopping.signal.aborted) {
        this.#isKicked = false;
        for (const row of await this.#parts.store.pending()) await this.#tryFetch(row);
      }
    } catch (error) {
      this.#parts.log.warn({ error }, "Files of other machines could not be brought home.");
      this.#lookAgain();
    }
  }

  async #tryFetch(row: PendingFetch): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const { log, patienceS } = this.#parts;
    const ids = { job_id: row.job_id, attempt: row.attempt, path: row.path };
    try {
      await this.#fetchOnce(row);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      if (error instanceof MachineUnreachable) {
        if (this.#hasWaited(row, patienceS)) {
          log.warn({ error, ...ids }, "A file is lost with the machine that holds it.");
          return this.#markGone(row);
        }
      } else log.warn({ error, ...ids }, "A file could not be brought home; it is tried again.");
      this.#lookAgain();
    }
  }

  /** For as long as its attempt runs the monitor says whether the machine is lost. */
  #hasWaited(row: PendingFetch, seconds: number): boolean {
    if (row.state !== "ended") return false;
    const key = keyOf(row.job_id, row.path);
    const sinceMs = this.#silentSinceMs.get(key) ?? performance.now();
    this.#silentSinceMs.set(key, sinceMs);
    return performance.now() - sinceMs >= seconds * 1_000;
  }

  #lookAgain(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.kick(), RETRY_MS);
    this.#timer.unref();
  }

  /** Whoever comes while it is on its way waits for the same. */
  async #fetchOnce(row: PendingFetch): Promise<void> {
    const key = keyOf(row.job_id, row.path);
    const before = this.#underWay.get(key);
    if (before !== undefined) return before;
    const fetching = this.#fetch(row).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, fetching);
    return fetching;
  }

  async #fetch(row: PendingFetch): Promise<void> {
    const target = fetchTarget(row);
    const found = target === null ? null : await this.#copy(row, target);
    // Not there: its policy has removed it meanwhile. Different: it may have been written anew while it was read.
    if (found === "here") await this.#done(row);
    else if (found === null || this.#countTry(row) >= MAX_TRIES) await this.#markGone(row);
    else throw new Error(`its bytes are not those that the worker told of (SHA-256 ${row.sha256})`);
  }

  /** Beside and renamed: whoever reads meanwhile finds all of it. Null: nothing is there. */
  async #copy(row: PendingFetch, target: FetchTarget): Promise<"here" | "different" | null> {
    const { source, runDir, workFolder } = this.#parts;
    const { signal } = this.#stopping;
    if (source === null) return null;
    const handle = { jobId: row.job_id, attempt: row.attempt, ref: row.executor_ref };
    const files = await source.list(handle, target.root, signal);
    if (files === null || files.length === 0) return null;
    if (!files.some((file) => file.path === target.proof)) return "different";
    const beside = path.join(workFolder, randomUUID());
    try {
      for (const file of files) {
        if (!isInside(file.path) || !isWithin(target.root, file.path))
          throw new Error(`the machine told of a file elsewhere: ${JSON.stringify(file.path)}`);
        const at = path.join(beside, path.posix.relative(target.root, file.path) || "file");
        const proof = file.path === target.proof ? row.sha256 : null;
        const outcome = await this.#copyFile(source, handle, file, at, proof);
        if (outcome !== "here") return outcome;
      }
      const isFile = files.length === 1 && files[0]?.path === target.root;
      const whole = isFile ? path.join(beside, "file") : beside;
      await replace(whole, path.join(runDir(row.job_id), target.root), `${beside}-old`);
      return "here";
    } finally {
      await rm(beside, { recursive: true, force: true });
    }
  }

  async #copyFile(
    source: FileSource,
    handle: AttemptHandle,
    file: { readonly path: string; readonly size: number },
    to: string,
    sha256: string | null,
  ): Promise<"here" | "different" | null> {
    const { signal } = this.#stopping;
    // Before the bytes are asked for: a stream that fails before anybody listens would end the process.
    await mkdir(path.dirname(to), { recursive: true, mode: 0o700 });
    const bytes = await source.read(handle, file.path, signal);
    if (bytes === null) return null;
    try {
      await pipeline(bytes, createWriteStream(to, { mode: 0o600, flush: true }), { signal });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Of our own disk; everything else the connection has said.
      if (code === "ENOSPC" || code === "EACCES" || signal.aborted) throw error;
      throw new MachineUnreachable(`${file.path} broke off (${(error as Error).message})`, {
        cause: error,
      });
    }
    return sha256 === null || (await sha256Of(to)) === sha256 ? "here" : "different";
  }

  #countTry(row: PendingFetch): number {
    const key = keyOf(row.job_id, row.path);
    const tries = (this.#tries.get(key) ?? 0) + 1;
    this.#tries.set(key, tries);
    return tries;
  }

  #forget(row: PendingFetch): void {
    const key = keyOf(row.job_id, row.path);
    this.#tries.delete(key);
    this.#silentSinceMs.delete(key);
  }

  async #done(row: PendingFetch): Promise<void> {
    this.#forget(row);
    await this.#parts.changes.change(async (transaction) => {
      await this.#parts.store.remove(transaction, row);
      return [];
    });
  }

  async #markGone(row: PendingFetch): Promise<void> {
    this.#forget(row);
    await this.#parts.changes.change(async (transaction) => {
      if (!(await this.#parts.store.remove(transaction, row))) return [];
      await this.#parts.changes.filesLost(transaction, row.job_id, [row.path]);
      return [row.job_id];
    });
  }
}

/** What stood there is there until the new one is. */
async function replace(from: string, to: string, old: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true, mode: 0o700 });
  try {
    await rename(to, old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  await rename(from, to);
  await rm(old, { recursive: true, force: true });
}

function isWithin(folder: string, file: string): boolean {
  return file === folder || file.startsWith(`${folder}/`);
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest("hex");
}

function keyOf(jobId: number, relative: string): string {
  return `${jobId}/${relative}`;
}
