// The checkpoints that forks begin in, apart from the runs that wrote them: their policies may remove them, and runs
// are deleted. Each is kept once under its manifest's SHA-256, by second names of the same files where that works.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import {
  copyFile,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  utimes,
} from "node:fs/promises";
import path from "node:path";
import { JsonObject } from "@spotter/contract";
import { z } from "zod";
import { SpotterError } from "../../platform/errors.ts";
import { checkpointDamaged } from "./errors.ts";
import { pathInside } from "./run-files.ts";
import type { RunFileRow } from "./tables.ts";

const MANIFEST = "manifest.json";
/** Another file system, one without links, or too many names. */
const NO_LINK: ReadonlySet<string> = new Set(["EXDEV", "EPERM", "ENOTSUP", "EMLINK"]);
/** What was made a moment ago may belong to a fork whose row is not there yet. */
const MIN_AGE_S = 3_600;

const Manifest = z.object({
  files: z.record(z.string().regex(/^[^/\\]+$/), z.object({ size: z.number().int() })),
});
const Progress = z.object({
  step: z.number().int(),
  epoch: z.number().int(),
  batch: z.number().int(),
  drops: z.number().int().default(0),
  schedule_start: z.number().int().default(0),
});

/** A checkpoint's folder as its own files tell. */
export interface Inspected {
  readonly folder: string;
  readonly files: readonly string[];
  readonly standing: z.infer<typeof Progress>;
  readonly config: z.infer<typeof JsonObject>;
}

/** Throws `checkpoint-damaged` for a folder that is torn or gone; bytes are compared by the worker. */
export function inspectCheckpoint(runDir: string, row: RunFileRow): Promise<Inspected> {
  return inspected(() => pathInside(runDir, row.path), row);
}

/** The same of one that was kept apart from its run. */
export function inspectFolder(folder: string, row: RunFileRow): Promise<Inspected> {
  return inspected(async () => folder, row);
}

async function inspected(find: () => Promise<string>, row: RunFileRow): Promise<Inspected> {
  const damaged = (problem: string) => checkpointDamaged(row.step ?? 0, problem);
  try {
    const folder = await find();
    const text = await readFile(path.join(folder, MANIFEST));
    if (createHash("sha256").update(text).digest("hex") !== row.sha256)
      throw damaged("its manifest is not the one that was registered");
    const { files } = Manifest.parse(JSON.parse(text.toString("utf8")));
    for (const [name, { size }] of Object.entries(files)) {
      const found = await stat(path.join(folder, name));
      if (found.size !== size) throw damaged(`${name} has ${found.size} bytes instead of ${size}`);
    }
    const read = async (name: string): Promise<unknown> =>
      JSON.parse(await readFile(path.join(folder, name), "utf8"));
    return {
      ...{ folder, files: [...Object.keys(files), MANIFEST] },
      standing: Progress.parse(await read("progress.json")),
      config: JsonObject.parse(await read("config.json")),
    };
  } catch (error) {
    if (error instanceof SpotterError && error.code === "checkpoint-damaged") throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || (error instanceof SpotterError && error.code === "file-not-found"))
      throw damaged("a file of it is missing");
    if (error instanceof z.ZodError || error instanceof SyntaxError)
      throw damaged("its manifest, progress or config cannot be read");
    throw error;
  }
}

export class ForkOrigins {
  readonly #folder: string;
  /** By the clock that nobody sets: when this process last kept each of them. */
  readonly #keptAt = new Map<string, number>();
  /** One keeps or removes at a time: else one could remove what the other has just found there. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param home the data folder; absolute */
  constructor(home: string) {
    this.#folder = path.join(home, "forks");
  }

  placeOf(sha256: string): string {
    return path.join(this.#folder, sha256);
  }

  /** Bytes that are free where forks and their checkpoints are written. */
  async freeBytes(): Promise<number> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const disk = await statfs(this.#folder);
    return disk.bavail * disk.bsize;
  }

  /** Keeps a checkpoint; may be repeated. @returns its folder */
  keep(sha256: string, inspected: Inspected): Promise<string> {
    return this.#inTurn(() => {
      this.#keptAt.set(sha256, performance.now());
      return this.#keep(sha256, inspected);
    });
  }

  async #keep(sha256: string, inspected: Inspected): Promise<string> {
    const target = this.placeOf(sha256);
    if (existsSync(target)) {
      // Young again, so that no sweep takes it before the fork's row is there.
      const now = new Date();
      await utimes(target, now, now);
      return target;
    }
    const beside = `${target}.${process.pid}-${Date.now()}-${Math.random().toString(36).slice(2)}.tmp`;
    try {
      await mkdir(beside, { recursive: true, mode: 0o700 });
      for (const name of inspected.files)
        await linkOrCopy(path.join(inspected.folder, name), path.join(beside, name));
      await rename(beside, target);
    } catch (error) {
      await rm(beside, { recursive: true, force: true });
      // Another fork of the same checkpoint was faster.
      if (existsSync(target)) return target;
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOSPC") throw new SpotterError("disk-full", undefined, { cause: error });
      // The run went on, and its policy has removed the checkpoint since it was looked at.
      if (code === "ENOENT")
        throw checkpointDamaged(inspected.standing.step, "it was removed meanwhile");
      throw error;
    }
    return target;
  }

  /** Removes what no fork needs. */
  async sweep(wanted: ReadonlySet<string>, now: number): Promise<void> {
    if (!existsSync(this.#folder)) return;
    for (const name of await readdir(this.#folder)) {
      if (wanted.has(name)) continue;
      await this.#inTurn(() => this.#removeOld(name, now));
    }
  }

  async #removeOld(name: string, now: number): Promise<void> {
    const folder = path.join(this.#folder, name);
    const keptAt = this.#keptAt.get(name);
    // Not only by the folder's own time: a clock may jump.
    if (keptAt !== undefined && performance.now() - keptAt < MIN_AGE_S * 1000) return;
    this.#keptAt.delete(name);
    if (now - (await stat(folder)).ctimeMs / 1000 < MIN_AGE_S) return;
    await rm(folder, { recursive: true, force: true });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    // Whoever asked for it is told; the next one goes on.
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

/** Workers never change a checkpoint in place, so a second name is as good as a copy. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!NO_LINK.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    await copyFile(from, to);
  }
}
