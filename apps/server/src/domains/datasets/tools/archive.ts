// Opens a zip that nobody vouches for: names, sizes, links and compression are checked before a byte is unpacked.
import type { Readable } from "node:stream";
import type yauzl from "yauzl";
import { SpotterError } from "../../../platform/errors.ts";
import { archiveUnreadable, archiveUnsafe } from "../errors.ts";

const MAX_ENTRIES = 500_000;
export const MAX_FILE_BYTES = 256 * 1024 * 1024;
/** Images hardly compress; a whole archive that unpacks to a hundred times its size is a bomb. */
const MAX_RATIO = 100;
/** Small archives of tiny, equal images may well exceed the ratio. */
const RATIO_FROM_BYTES = 64 * 1024 * 1024;
/** Names, extra fields and comments are held in memory until the last one is read. */
const MAX_DIRECTORY_BYTES = 128 * 1024 * 1024;
const MAX_TOTAL_BYTES = 64 * 1024 ** 3;

const ENCRYPTED_FLAG = 0x1;
const FILE_TYPE_MASK = 0o170000;
const REGULAR_FILE = 0o100000;
const FOLDER = 0o040000;

export interface Archive {
  readonly zip: yauzl.ZipFile;
  /** Files that a person put there: no folders, hidden files or system files. */
  readonly entries: readonly yauzl.Entry[];
  readonly skipped: { path: string; reason: string }[];
}

/** Opens, hands over, closes. Throws `archive-unreadable`, `archive-unsafe`, `disk-full`. */
export async function withArchive<T>(
  file: string,
  work: (archive: Archive) => Promise<T>,
): Promise<T> {
  const zip = await openZip(file);
  try {
    const all = await readEntries(zip);
    refuseUnsafe(all, zip.fileSize);
    const skipped: Archive["skipped"] = [];
    const entries = all.filter((entry) => {
      if (entry.fileName.endsWith("/")) return false;
      const parts = entry.fileName.split("/");
      const isHidden = parts.some((part) => part.startsWith(".") || part === "__MACOSX");
      if (isHidden) skipped.push({ path: entry.fileName, reason: "is a hidden or system file" });
      return !isHidden;
    });
    return await work({ zip, entries, skipped });
  } catch (error) {
    if (error instanceof SpotterError) throw error;
    if ((error as NodeJS.ErrnoException).code === "ENOSPC")
      throw new SpotterError("disk-full", undefined, { cause: error });
    throw archiveUnreadable(`The archive cannot be read: ${(error as Error).message}.`, error);
  } finally {
    zip.close();
  }
}

export function openEntry(zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) reject(error);
      else resolve(stream);
    });
  });
}

/** 1 when everything lies in one folder that itself holds folders: people zip the folder, not its contents. */
export function countTopFolders(names: readonly string[]): number {
  const tops = new Set(names.map((name) => name.split("/")[0]));
  const hasDeep = names.some((name) => name.split("/").length >= 3);
  return tops.size === 1 && hasDeep ? 1 : 0;
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
        `The entry ${JSON.stringify(fileName)} is too large: ${MAX_FILE_BYTES} bytes at most.`,
      );
  }
  const isBomb = totalBytes > RATIO_FROM_BYTES && totalBytes > archiveBytes * MAX_RATIO;
  if (isBomb || totalBytes > MAX_TOTAL_BYTES)
    throw archiveUnsafe(
      `The archive would unpack to ${totalBytes} bytes, far more than it weighs (${archiveBytes}).`,
    );
}
