// Reads a zip of images or recordings, one folder a class, into the content store. Everything in it is distrusted: names, sizes,
// links and compression are checked before and while a byte is unpacked.
import { createHash } from "node:crypto";
import { type Readable, Transform } from "node:stream";
import type yauzl from "yauzl";
import type { ContentStore } from "../../../platform/content-store.ts";
import { SpotterError } from "../../../platform/errors.ts";
import { archiveEmpty, archiveUnreadable, archiveUnsafe } from "../errors.ts";
import type { StoredFile } from "../store.ts";
import { type FolderKind, folderKindOf, MAGIC_BYTES } from "./file-kinds.ts";

export interface FoundFiles {
  readonly kind: FolderKind;
  readonly files: StoredFile[];
  readonly classes: Record<string, number>;
  readonly skipped: { path: string; reason: string }[];
  readonly sha256: string;
}

const MAX_ENTRIES = 500_000;
const MAX_FILE_BYTES = 256 * 1024 * 1024;
/** Images hardly compress; a whole archive that unpacks to a hundred times its size is a bomb. */
const MAX_RATIO = 100;
/** Small archives of tiny, equal images may well exceed the ratio. */
const RATIO_FROM_BYTES = 64 * 1024 * 1024;
/** Names, extra fields and comments are held in memory until the last one is read. */
const MAX_DIRECTORY_BYTES = 128 * 1024 * 1024;
/** What file systems take as one name. */
const MAX_NAME_BYTES = 255;
const MAX_TOTAL_BYTES = 64 * 1024 ** 3;
/** The page shows why entries were left out; nobody reads a hundred thousand of them. */
const MAX_SKIPPED = 200;

const REASONS_OF_OTHER_KIND: Record<FolderKind, string> = {
  "image-folder": "is not a PNG, JPEG, BMP, WEBP or GIF",
  "audio-folder": "is not a WAV or FLAC",
};

const ENCRYPTED_FLAG = 0x1;
const FILE_TYPE_MASK = 0o170000;
const REGULAR_FILE = 0o100000;
const FOLDER = 0o040000;

/** Throws `archive-unreadable`, `archive-unsafe`, `archive-empty`. */
export async function importClassFolder(
  archive: string,
  content: ContentStore,
): Promise<FoundFiles> {
  const zip = await openZip(archive);
  try {
    const { wanted, skipped } = plan(await readEntries(zip), zip.fileSize);
    const found: (StoredFile & { kind: FolderKind })[] = [];
    for (const { entry, path } of wanted) {
      const stored = await storeFile(zip, entry, content);
      if (stored === null) skipped.push({ path, reason: "is neither an image nor a recording" });
      else found.push({ path, ...stored });
    }
    return summarise(found, skipped);
  } catch (error) {
    if (error instanceof SpotterError) throw error;
    if ((error as NodeJS.ErrnoException).code === "ENOSPC")
      throw new SpotterError("disk-full", undefined, { cause: error });
    throw archiveUnreadable(`The archive cannot be read: ${(error as Error).message}.`, error);
  } finally {
    zip.close();
  }
}

async function openZip(archive: string): Promise<yauzl.ZipFile> {
  // Loaded with the first upload: an idle server need not hold it.
  const { default: reader } = await import("yauzl");
  return new Promise((resolve, reject) => {
    const options = { lazyEntries: true, autoClose: false, strictFileNames: false };
    reader.open(archive, options, (error, zip) => {
      if (error) reject(archiveUnreadable(undefined, error));
      else resolve(zip);
    });
  });
}

function readEntries(zip: yauzl.ZipFile): Promise<yauzl.Entry[]> {
  return new Promise((resolve, reject) => {
    const entries: yauzl.Entry[] = [];
    let directoryBytes = 0;
    zip.on("entry", (entry: yauzl.Entry) => {
      entries.push(entry);
      directoryBytes += entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength;
      if (entries.length > MAX_ENTRIES)
        reject(archiveUnsafe(`The archive holds more than ${MAX_ENTRIES} entries.`));
      else if (directoryBytes > MAX_DIRECTORY_BYTES)
        reject(archiveUnsafe("The archive's list of entries is too long."));
      else zip.readEntry();
    });
    // yauzl itself refuses absolute names and those with `..`.
    zip.on("error", (error: Error) =>
      reject(
        /relative path|absolute path|invalid characters/.test(error.message)
          ? archiveUnsafe(`An entry points outside the archive: ${error.message}.`)
          : archiveUnreadable(undefined, error),
      ),
    );
    zip.on("end", () => resolve(entries));
    zip.readEntry();
  });
}

interface WantedEntry {
  readonly entry: yauzl.Entry;
  /** `class/file`, without the archive's own top folder. */
  readonly path: string;
}

function plan(
  entries: readonly yauzl.Entry[],
  archiveBytes: number,
): { wanted: WantedEntry[]; skipped: FoundFiles["skipped"] } {
  refuseUnsafe(entries, archiveBytes);
  const skipped: FoundFiles["skipped"] = [];
  const visible = entries.filter((entry) => {
    if (entry.fileName.endsWith("/")) return false;
    const parts = entry.fileName.split("/");
    const isHidden = parts.some((part) => part.startsWith(".") || part === "__MACOSX");
    if (isHidden) skipped.push({ path: entry.fileName, reason: "is a hidden or system file" });
    return !isHidden;
  });
  const numTopFolders = countTopFolders(visible.map(({ fileName }) => fileName));
  const wanted: WantedEntry[] = [];
  for (const entry of visible) {
    const parts = entry.fileName.split("/").slice(numTopFolders);
    if (parts.length === 2 && parts.every(isFileName))
      wanted.push({ entry, path: parts.join("/") });
    else
      skipped.push({
        path: entry.fileName,
        reason: reasonToSkip(parts),
      });
  }
  return { wanted, skipped };
}

function isFileName(part: string): boolean {
  return part !== "" && Buffer.byteLength(part) <= MAX_NAME_BYTES;
}

function reasonToSkip(parts: readonly string[]): string {
  if (parts.length < 2) return "is in no class folder";
  if (parts.length > 2) return "is deeper than its class folder";
  return `has an empty name or one of more than ${MAX_NAME_BYTES} bytes`;
}

function refuseUnsafe(entries: readonly yauzl.Entry[], archiveBytes: number): void {
  let totalBytes = 0;
  const names = new Set<string>();
  for (const entry of entries) {
    const { fileName } = entry;
    // yauzl has turned back slashes into slashes and refused `..`; what is left is checked again here.
    const parts = fileName.split("/");
    if (fileName.startsWith("/") || parts.includes("..") || fileName.includes("\u0000"))
      throw archiveUnsafe(`The entry ${JSON.stringify(fileName)} points outside the archive.`);
    if ((entry.generalPurposeBitFlag & ENCRYPTED_FLAG) !== 0)
      throw archiveUnreadable(`The entry ${JSON.stringify(fileName)} is encrypted.`);
    const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE_MASK;
    if (type !== 0 && type !== REGULAR_FILE && type !== FOLDER)
      throw archiveUnsafe(`The entry ${JSON.stringify(fileName)} is a link or a device.`);
    if (names.has(fileName))
      throw archiveUnsafe(`The entry ${JSON.stringify(fileName)} is there twice.`);
    names.add(fileName);
    totalBytes += entry.uncompressedSize;
    if (entry.uncompressedSize > MAX_FILE_BYTES)
      throw archiveUnsafe(
        `The entry ${JSON.stringify(fileName)} is too large for an image or recording.`,
      );
  }
  const isBomb = totalBytes > RATIO_FROM_BYTES && totalBytes > archiveBytes * MAX_RATIO;
  if (isBomb || totalBytes > MAX_TOTAL_BYTES)
    throw archiveUnsafe(
      `The archive would unpack to ${totalBytes} bytes, far more than it weighs (${archiveBytes}).`,
    );
}

/** 1 when everything lies in one folder that itself holds folders: people zip the folder, not its contents. */
function countTopFolders(names: readonly string[]): number {
  const tops = new Set(names.map((name) => name.split("/")[0]));
  const hasDeep = names.some((name) => name.split("/").length >= 3);
  return tops.size === 1 && hasDeep ? 1 : 0;
}

/** @returns null for what is neither an image nor a recording. */
async function storeFile(
  zip: yauzl.ZipFile,
  entry: yauzl.Entry,
  content: ContentStore,
): Promise<{ sha256: string; size: number; kind: FolderKind } | null> {
  const source = await openEntry(zip, entry);
  let head = Buffer.alloc(0);
  const look = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (head.length < MAGIC_BYTES) {
        head = Buffer.concat([head, chunk.subarray(0, MAGIC_BYTES - head.length)]);
        if (head.length === MAGIC_BYTES && folderKindOf(head) === null) return done(new OfNoKind());
      }
      done(null, chunk);
    },
    flush: (done) => done(folderKindOf(head) === null ? new OfNoKind() : null),
  });
  try {
    const stored = await content.put(source, { maxBytes: MAX_FILE_BYTES }, look);
    const kind = folderKindOf(head);
    return kind === null ? null : { ...stored, kind };
  } catch (error) {
    if (error instanceof OfNoKind) return null;
    throw error;
  }
}

class OfNoKind extends Error {}

function openEntry(zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) reject(error);
      else resolve(stream);
    });
  });
}

/** What most files are decides the kind; the others are left out, and the collector takes their bytes. */
function summarise(
  found: readonly (StoredFile & { kind: FolderKind })[],
  skipped: FoundFiles["skipped"],
): FoundFiles {
  const numSounds = found.filter((file) => file.kind === "audio-folder").length;
  const kind: FolderKind = numSounds * 2 > found.length ? "audio-folder" : "image-folder";
  const files: StoredFile[] = [];
  for (const { kind: own, ...file } of found)
    if (own === kind) files.push(file);
    else skipped.push({ path: file.path, reason: REASONS_OF_OTHER_KIND[kind] });
  const classes: Record<string, number> = Object.create(null);
  for (const { path } of files) {
    const name = path.slice(0, path.indexOf("/"));
    classes[name] = (classes[name] ?? 0) + 1;
  }
  if (files.length === 0) throw archiveEmpty();
  if (Object.keys(classes).length < 2)
    throw archiveEmpty("The archive holds one class only; a classifier needs two or more folders.");
  files.sort((left, right) => (left.path < right.path ? -1 : 1));
  const hash = createHash("sha256");
  for (const { path, sha256 } of files) hash.update(`${sha256}  ${path}\n`);
  const shown = skipped.slice(0, MAX_SKIPPED);
  if (skipped.length > MAX_SKIPPED)
    shown.push({ path: "…", reason: `and ${skipped.length - MAX_SKIPPED} more` });
  return { kind, files, classes: { ...classes }, skipped: shown, sha256: hash.digest("hex") };
}
