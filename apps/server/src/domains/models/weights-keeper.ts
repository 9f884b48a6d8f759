// Keeps versions' files apart from the runs that made them: in the content store, by a second name where that works.
// Workers read them as a tree of links.
import { randomUUID } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { ContentStore } from "../../platform/content-store.ts";
import { SpotterError } from "../../platform/errors.ts";
import type { Log } from "../../platform/log.ts";
import type { QueueService } from "../queue/index.ts";
import { pathInside } from "../runs/index.ts";
import { versionNotReady } from "./errors.ts";
import type { ModelsStore, StoredFile } from "./store.ts";
import type { VersionRow } from "./tables.ts";

export interface WeightsKeeperParts {
  readonly store: ModelsStore;
  readonly content: ContentStore;
  /** The data folder. */
  readonly home: string;
  readonly queue: Pick<QueueService, "runDir" | "filesAt">;
  readonly log: Log;
}

export class WeightsKeeper {
  readonly #parts: WeightsKeeperParts;

  constructor(parts: WeightsKeeperParts) {
    this.#parts = parts;
  }

  /** From the outbox, after the commit that registered the versions; may be repeated. */
  async keep(runId: number, sha256: string): Promise<void> {
    const { store, log } = this.#parts;
    for (const version of await store.unstored(runId, sha256)) {
      const files = await this.#take(version);
      const weights = files?.find(({ path: name }) => name === path.basename(version.weights_path));
      if (files !== null && weights?.sha256 === sha256) {
        await store.keepFiles(version.id, files);
        continue;
      }
      // A later attempt has saved others in their place, or somebody removed the folder: no retry brings them back.
      await store.update(version.id, { storage: "missing" });
      log.warn(
        { run_id: runId, version_id: version.id, sha256 },
        "A model version's weights are gone from the run's folder; the version is marked so.",
      );
    }
  }

  /** A folder with the version's files, for workers; made when it is first needed. */
  async folderOf(version: VersionRow): Promise<string> {
    if (version.storage !== "stored") throw notStored(version);
    const folder = this.#versionFolder(version.id);
    if (!existsSync(folder))
      await this.#materialise(folder, await this.#parts.store.files(version.id));
    return folder;
  }

  async remove(versionId: number): Promise<void> {
    await rm(this.#versionFolder(versionId), { recursive: true, force: true });
  }

  /** @returns null when the folder is gone */
  async #take(version: VersionRow): Promise<StoredFile[] | null> {
    const { content, queue } = this.#parts;
    await queue.filesAt(version.run_id, version.weights_path);
    const runDir = queue.runDir(version.run_id);
    const folder = await weightsFolder(runDir, version.weights_path);
    if (folder === null) return null;
    const files: StoredFile[] = [];
    for (const name of await filesBelow(folder)) {
      const file = path.join(folder, name);
      // Weights are large, and workers never change them in place: they write beside and rename. Of the rest,
      // tokenizers and such, nobody has promised that.
      const stored = name.endsWith(".safetensors")
        ? await content.adopt(file)
        : await content.put(createReadStream(file), { maxBytes: Number.MAX_SAFE_INTEGER });
      files.push({ path: name, ...stored });
    }
    return files;
  }

  /** Written beside and renamed. */
  async #materialise(folder: string, files: readonly StoredFile[]): Promise<void> {
    const beside = `${folder}.${randomUUID()}.tmp`;
    try {
      await mkdir(beside, { recursive: true, mode: 0o700 });
      for (const file of files)
        await this.#parts.content.linkTo(file.sha256, path.join(beside, file.path));
      await rename(beside, folder);
    } catch (error) {
      await rm(beside, { recursive: true, force: true });
      // Somebody else needed the same tree and was faster.
      if (existsSync(folder)) return;
      if ((error as NodeJS.ErrnoException).code === "ENOSPC")
        throw new SpotterError("disk-full", undefined, { cause: error });
      throw error;
    }
  }

  #versionFolder(versionId: number): string {
    return path.join(this.#parts.home, "models", String(versionId));
  }
}

async function weightsFolder(runDir: string, weightsPath: string): Promise<string | null> {
  try {
    return path.dirname(await pathInside(runDir, weightsPath));
  } catch (error) {
    if (error instanceof SpotterError && error.code === "file-not-found") return null;
    throw error;
  }
}

/** Plain files only, with forward slashes; what is being written beside is none of them. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".tmp"))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .map((name) => name.split(path.sep).join("/"))
    .sort();
}

function notStored({ storage, name, version }: VersionRow): SpotterError {
  return versionNotReady(
    storage === "missing"
      ? `The weights of ${name} version ${version} are gone: its run's folder was changed before they were kept.`
      : `The weights of ${name} version ${version} are being stored; try again in a moment.`,
  );
}
