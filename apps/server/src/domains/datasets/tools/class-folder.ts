// Reads an archive of images or recordings, one folder a class, into the content store; what a file is its first bytes say.
import { Transform } from "node:stream";
import type yauzl from "yauzl";
import type { ContentStore } from "../../../platform/content-store.ts";
import { archiveEmpty } from "../errors.ts";
import type { StoredFile } from "../store.ts";
import { type Archive, countTopFolders, MAX_FILE_BYTES, openEntry } from "./archive.ts";
import { FileCheck } from "./file-check.ts";
import { type FolderKind, folderKindOf, MAGIC_BYTES } from "./file-kinds.ts";
import {
  classesOf,
  type FoundFiles,
  foundFiles,
  isFileName,
  MAX_NAME_BYTES,
} from "./found-files.ts";

const REASONS_OF_OTHER_KIND: Record<FolderKind, string> = {
  "image-folder": "is not a PNG, JPEG, BMP, WEBP or GIF",
  "audio-folder": "is not a WAV or FLAC",
};

/** Throws `archive-empty`. */
export async function importClassFolder(
  { zip, entries, skipped }: Archive,
  content: ContentStore,
): Promise<FoundFiles> {
  const found: (StoredFile & { kind: FolderKind })[] = [];
  for (const { entry, path } of plan(entries, skipped)) {
    const stored = await storeFile(zip, entry, content);
    if (typeof stored === "string") skipped.push({ path, reason: stored });
    else found.push({ path, ...stored });
  }
  return summarise(found, skipped);
}

interface WantedEntry {
  readonly entry: yauzl.Entry;
  /** `class/file`, without the archive's own top folder. */
  readonly path: string;
}

function plan(entries: readonly yauzl.Entry[], skipped: Archive["skipped"]): WantedEntry[] {
  const numTopFolders = countTopFolders(entries.map(({ fileName }) => fileName));
  const wanted: WantedEntry[] = [];
  for (const entry of entries) {
    const parts = entry.fileName.split("/").slice(numTopFolders);
    if (parts.length === 2 && parts.every(isFileName))
      wanted.push({ entry, path: parts.join("/") });
    else skipped.push({ path: entry.fileName, reason: reasonToSkip(parts) });
  }
  return wanted;
}

function reasonToSkip(parts: readonly string[]): string {
  if (parts.length < 2) return "is in no class folder";
  if (parts.length > 2) return "is deeper than its class folder";
  return `has an empty name or one of more than ${MAX_NAME_BYTES} bytes`;
}

/** @returns why it is left out, where it is neither an image nor a recording, or a broken one. */
async function storeFile(
  zip: yauzl.ZipFile,
  entry: yauzl.Entry,
  content: ContentStore,
): Promise<{ sha256: string; size: number; kind: FolderKind } | string> {
  const source = await openEntry(zip, entry);
  let head = Buffer.alloc(0);
  const check = new FileCheck();
  const look = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (head.length < MAGIC_BYTES) {
        head = Buffer.concat([head, chunk.subarray(0, MAGIC_BYTES - head.length)]);
        if (head.length === MAGIC_BYTES && folderKindOf(head) === null) return done(new OfNoUse());
      }
      check.take(chunk);
      done(null, chunk);
    },
    flush(done) {
      const problem = folderKindOf(head) === null ? OF_NO_KIND : check.problem();
      done(problem === null ? null : new OfNoUse(problem));
    },
  });
  try {
    const stored = await content.put(source, { maxBytes: MAX_FILE_BYTES }, look);
    const kind = folderKindOf(head);
    return kind === null ? OF_NO_KIND : { ...stored, kind };
  } catch (error) {
    if (error instanceof OfNoUse) return error.message;
    throw error;
  }
}

const OF_NO_KIND = "is neither an image nor a recording";

class OfNoUse extends Error {
  constructor(reason = OF_NO_KIND) {
    super(reason);
  }
}

/** What most files are decides the kind; the others are left out, and the collector takes their bytes. */
function summarise(
  found: readonly (StoredFile & { kind: FolderKind })[],
  skipped: Archive["skipped"],
): FoundFiles {
  const numSounds = found.filter((file) => file.kind === "audio-folder").length;
  const kind: FolderKind = numSounds * 2 > found.length ? "audio-folder" : "image-folder";
  const files: StoredFile[] = [];
  for (const { kind: own, ...file } of found)
    if (own === kind) files.push(file);
    else skipped.push({ path: file.path, reason: REASONS_OF_OTHER_KIND[kind] });
  const classes = classesOf(files);
  const broken = skipped.filter(({ reason }) => /^is (cut off|damaged)/.test(reason));
  const example = broken[0];
  if (files.length === 0 && example !== undefined)
    throw archiveEmpty(
      `None of the ${broken.length} files can be read: ${example.path} ${example.reason}.`,
    );
  if (files.length === 0) throw archiveEmpty();
  if (Object.keys(classes).length < 2)
    throw archiveEmpty("The archive holds one class only; a classifier needs two or more folders.");
  return foundFiles({ kind, files, classes, skipped, numRows: null, columns: [] });
}
