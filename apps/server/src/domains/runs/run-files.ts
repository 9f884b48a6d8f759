// Hands out a run's files: only those that it registered, and only from inside its own folder.
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { fileNotFound } from "./errors.ts";
import type { RunFileRow } from "./tables.ts";

/** What stands for a checkpoint, which is a folder. */
const MANIFEST = "manifest.json";

export interface OpenedFile {
  readonly name: string;
  readonly size: number;
  readonly stream: Readable;
}

/** Throws `file-not-found`, also for a path or link that leads out of the run folder. */
export async function openRunFile(runDir: string, row: RunFileRow): Promise<OpenedFile> {
  const registered = await pathInside(runDir, row.path);
  const isFolder = (await stat(registered)).isDirectory();
  const file = isFolder ? await pathInside(runDir, path.join(row.path, MANIFEST)) : registered;
  const { size } = await stat(file);
  const name = isFolder ? `${path.basename(row.path)}-${MANIFEST}` : path.basename(row.path);
  return { name, size, stream: createReadStream(file) };
}

/** The real place of a path that the worker named, relative to the run folder. */
export async function pathInside(runDir: string, relative: string): Promise<string> {
  try {
    const folder = await realpath(runDir);
    const file = await realpath(path.join(folder, relative));
    if (!file.startsWith(folder + path.sep)) throw fileNotFound();
    return file;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ERR_INVALID_ARG_VALUE")
      throw fileNotFound();
    throw error;
  }
}
