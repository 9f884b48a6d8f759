// What a follower of a log directory keeps on disk, so that the next one goes on without losing or doubling a point: one
// small file a folder, and a lock against two followers at once.
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { newTensorboardRecord, type TensorboardRecord } from "@spotter/contract";
import type { RunCursor } from "@spotter/tfevents";
import { writePrivately } from "../config-file.ts";
import { UsageProblem } from "../exit-codes.ts";

export type FolderRecord = TensorboardRecord<RunCursor>;

export interface KeptFolder {
  version: 1;
  /** Relative to the log directory; "." for itself. */
  folder: string;
  /** Makes the run only once, however often its making is tried. */
  client_id: string;
  record: FolderRecord;
}

export class StateFolder {
  readonly path: string;
  readonly #kept = new Map<string, KeptFolder>();

  /** One for each server and log directory. */
  constructor(configFolder: string, server: string, logdir: string) {
    this.path = path.join(configFolder, "tensorboard", shortHash(`${server}\n${logdir}`));
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
  }

  /** @throws UsageProblem when another follower is at work */
  lock(): void {
    const file = this.#lockFile;
    if (existsSync(file)) {
      const pid = Number(readFileSync(file, "utf8"));
      if (pid !== process.pid && isAlive(pid))
        throw new UsageProblem(`Process ${pid} follows this folder already.`);
      rmSync(file, { force: true });
    }
    // Fails when another process was faster.
    writeFileSync(file, String(process.pid), { flag: "wx", mode: 0o600 });
  }

  unlock(): void {
    rmSync(this.#lockFile, { force: true });
  }

  load(): KeptFolder[] {
    for (const name of readdirSync(this.path)) {
      if (!name.endsWith(".json")) continue;
      const kept = JSON.parse(readFileSync(path.join(this.path, name), "utf8")) as KeptFolder;
      if (kept.version !== 1)
        throw new UsageProblem(`${this.path} was written by a newer spotter; update this one.`);
      this.#kept.set(kept.folder, kept);
    }
    return [...this.#kept.values()];
  }

  of(folder: string): KeptFolder {
    const known = this.#kept.get(folder);
    if (known !== undefined) return known;
    const record = newTensorboardRecord<RunCursor>();
    const kept: KeptFolder = { version: 1, folder, client_id: `tb-${randomUUID()}`, record };
    this.#kept.set(folder, kept);
    return kept;
  }

  all(): KeptFolder[] {
    return [...this.#kept.values()];
  }

  save(folder: string, record: FolderRecord): void {
    const kept = { ...this.of(folder), record };
    this.#kept.set(folder, kept);
    writePrivately(path.join(this.path, `${shortHash(folder)}.json`), JSON.stringify(kept));
  }

  get #lockFile(): string {
    return path.join(this.path, "lock");
  }
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 20);
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Alive, and somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
