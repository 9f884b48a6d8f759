// What the datasets room decides: where a run's data lies, and what an upload becomes.
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import {
  BUILTIN_CLASSES,
  countFileTypes,
  type DataHeld,
  type DataSource,
  type Dataset,
  type DatasetKind,
  type DatasetPreview,
  type RecipeName,
} from "@spotter/contract";
import type { AuditRecorder } from "../../platform/audit.ts";
import type { ContentStore } from "../../platform/content-store.ts";
import { SpotterError } from "../../platform/errors.ts";
import type { Caller } from "../../platform/route.ts";
import type { DataRoots } from "./data-roots.ts";
import {
  archiveUnsafe,
  datasetNotFound,
  datasetVersionNotFound,
  projectDataFull,
} from "./errors.ts";
import type { DatasetStore, StoredFile } from "./store.ts";
import type { DatasetRow } from "./tables.ts";
import { withArchive } from "./tools/archive.ts";
import { importClassFolder } from "./tools/class-folder.ts";
import { lookAtData } from "./tools/data-look.ts";
import { type FoundFiles, isFileName } from "./tools/found-files.ts";
import { holdsTexts, importTextFile, importTextFolder } from "./tools/text-files.ts";
import { previewTexts } from "./tools/text-preview.ts";
import { textKindOf } from "./tools/text-rows.ts";
import { receiveUpload } from "./tools/upload.ts";
import { toDataset } from "./views.ts";

export interface DatasetServiceParts {
  readonly store: DatasetStore;
  readonly content: ContentStore;
  readonly roots: DataRoots;
  readonly audit: AuditRecorder;
  /** The data folder. */
  readonly home: string;
  readonly maxUploadBytes: number;
  /** All datasets of a project together. */
  readonly maxProjectBytes: number;
  readonly now: () => number;
}

/** Where a run's data lies; builtin data travels with the worker. */
export interface LocatedData {
  readonly folder: string | null;
  /** Short, for names of runs. */
  readonly name: string;
  /** What a person knows it by: `reviews v1`; a path's last part. */
  readonly title: string;
  /** Class → number of examples, where that is known without a look at the files. */
  readonly classes: Readonly<Record<string, number>> | null;
  /** Of an uploaded dataset; null elsewhere, where only the files can tell. */
  readonly kind: DatasetKind | null;
}

export class DatasetService {
  readonly #parts: DatasetServiceParts;

  constructor(parts: DatasetServiceParts) {
    this.#parts = parts;
  }

  /** Throws `path-not-allowed`, `path-not-found`, `dataset-version-not-found`. */
  async locate(source: DataSource, projectId: number): Promise<LocatedData> {
    if ("builtin" in source) {
      const known = BUILTIN_CLASSES[source.builtin]?.map((name) => [name, 0]);
      const classes = known === undefined ? null : Object.fromEntries(known);
      return { folder: null, name: source.builtin, title: source.builtin, kind: null, classes };
    }
    if ("path" in source) {
      const folder = await this.#parts.roots.resolve(source.path);
      const title = path.basename(folder);
      return { folder, name: shortName(title), title, kind: null, classes: null };
    }
    const row = await this.#parts.store.versionWithDataset(source.dataset_version);
    if (row === undefined || row.project_id !== projectId) throw datasetVersionNotFound();
    // The server may have been killed, or the disk been full, between the rows and the tree.
    if (!existsSync(this.#versionFolder(row.id)))
      await this.#materialise(row.id, await this.#parts.store.filesOf(row.id));
    return {
      ...{ folder: this.#versionFolder(row.id), name: shortName(row.name), kind: row.kind },
      title: `${row.name} v${row.version}`,
      classes: JSON.parse(row.classes),
    };
  }

  /** What the files of located data are, by names and first rows; null where that is more than a look. */
  async look({ folder, title }: LocatedData, recipe: RecipeName): Promise<DataHeld | null> {
    return folder === null ? null : lookAtData(folder, title, recipe);
  }

  /** For rooms that follow folders on the server's disk. */
  resolvePath(wanted: string): Promise<string> {
    return this.#parts.roots.resolve(wanted);
  }

  async list(caller: Caller, projectId: number | undefined): Promise<Dataset[]> {
    const visible = caller.isAdmin ? null : [...caller.roles.keys()];
    const wanted =
      projectId === undefined
        ? visible
        : [projectId].filter((id) => visible === null || visible.includes(id));
    const rows = wanted?.length === 0 ? [] : await this.#parts.store.datasets(wanted);
    const versions = await this.#parts.store.versions(rows.map(({ id }) => id));
    return rows.map((row) =>
      toDataset(
        row,
        versions.filter((version) => version.dataset_id === row.id),
      ),
    );
  }

  async require(id: number): Promise<DatasetRow> {
    const row = await this.#parts.store.dataset(id);
    if (row === undefined) throw datasetNotFound();
    return row;
  }

  async dataset(id: number): Promise<Dataset> {
    const row = await this.require(id);
    return toDataset(row, await this.#parts.store.versions([id]));
  }

  /** Throws `dataset-version-not-found`. */
  async requireVersion(id: number): Promise<{ id: number; project_id: number; kind: string }> {
    const row = await this.#parts.store.versionWithDataset(id);
    if (row === undefined) throw datasetVersionNotFound();
    return row;
  }

  /** The first rows of a version's texts; of images and recordings there are none. */
  async preview(versionId: number, limit: number): Promise<DatasetPreview> {
    const { store, content } = this.#parts;
    const files = await store.filesOf(versionId);
    return { rows: await previewTexts(files, ({ sha256 }) => content.pathOf(sha256), limit) };
  }

  /**
   * A zip of images, recordings or texts, or one file of texts, becomes a new dataset's first version.
   * @param wish.file the file's name, where it is no zip
   */
  async upload(
    body: Readable,
    wish: { name: string; projectId: number; announcedBytes: number | null; file: string | null },
    caller: Caller,
    address: string,
  ): Promise<Dataset> {
    const { store, content, audit, home, maxUploadBytes, maxProjectBytes, now } = this.#parts;
    const incoming = path.join(home, "tmp", "uploads");
    const used = await store.projectBytes(wish.projectId);
    // Nothing fits any more, whatever comes.
    if (used >= maxProjectBytes)
      throw projectDataFull(maxProjectBytes, used + (wish.announcedBytes ?? 0));
    const archive = await receiveUpload(body, incoming, maxUploadBytes, wish.announcedBytes);
    try {
      const found = await importFiles(archive, wish.file, content);
      const by = { created_at: now(), created_by: caller.userId };
      const { datasetId, versionId } = await store.insert(
        { project_id: wish.projectId, name: wish.name, kind: found.kind, ...by },
        {
          ...by,
          num_files: found.files.length,
          size: found.files.reduce((sum, file) => sum + file.size, 0),
          sha256: found.sha256,
          classes: JSON.stringify(found.classes),
          skipped: JSON.stringify(found.skipped),
          num_rows: found.numRows,
          columns: JSON.stringify(found.columns),
          file_types: JSON.stringify(countFileTypes(found.files.map((file) => file.path))),
        },
        found.files,
        maxProjectBytes,
      );
      await this.#materialise(versionId, found.files).catch(async (error: unknown) => {
        await store.remove(datasetId);
        throw error;
      });
      await audit.record({
        userId: caller.userId,
        userName: caller.userName,
        action: "dataset-uploaded",
        subjectKind: "dataset",
        subjectId: datasetId,
        projectId: wish.projectId,
        address,
        details: { name: wish.name, num_files: found.files.length },
      });
      return this.dataset(datasetId);
    } finally {
      await rm(archive, { force: true });
    }
  }

  /** The tree that workers read: links into the content store, written beside and renamed. */
  async #materialise(versionId: number, files: readonly StoredFile[]): Promise<void> {
    const folder = this.#versionFolder(versionId);
    if (existsSync(folder)) return;
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
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EEXIST" || code === "ENOTDIR" || code === "EISDIR")
        throw archiveUnsafe("A name in the archive is both a file's and a folder's.");
      if (code === "ENOSPC") throw new SpotterError("disk-full", undefined, { cause: error });
      throw error;
    }
  }

  #versionFolder(versionId: number): string {
    return path.join(this.#parts.home, "datasets", String(versionId));
  }
}

function importFiles(
  archive: string,
  file: string | null,
  content: ContentStore,
): Promise<FoundFiles> {
  if (file === null)
    return withArchive(archive, (opened) =>
      (holdsTexts(opened) ? importTextFolder : importClassFolder)(opened, content),
    );
  // The name becomes a file's name for workers: its last part alone, and only where that is one.
  const name = file.split(/[\\/]/).at(-1) ?? "";
  const kind = textKindOf(name);
  if (kind === null || name.startsWith(".") || !isFileName(name) || name.includes("\u0000"))
    throw new SpotterError(
      "unsupported-media-type",
      `${JSON.stringify(file)} is no file of texts: .txt, .md, .jsonl, .ndjson, .csv or .tsv. Send anything else as a zip.`,
    );
  return importTextFile(archive, name, kind, content);
}

/** Letters and digits of any script, joined by single dashes. */
function shortName(name: string): string {
  const short = name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "");
  return short.slice(0, 40) || "data";
}
