// What an upload turned out to hold, in the form that becomes a version.
import { createHash } from "node:crypto";
import type { Dataset } from "@spotter/contract";
import type { StoredFile } from "../store.ts";

export interface FoundFiles {
  readonly kind: Dataset["kind"];
  readonly files: readonly StoredFile[];
  readonly classes: Readonly<Record<string, number>>;
  readonly skipped: readonly { path: string; reason: string }[];
  /** Of texts: rows of tables, lines of plain text. Null for everything else. */
  readonly numRows: number | null;
  /** Of tables: their columns, over all files. */
  readonly columns: readonly string[];
  readonly sha256: string;
}

/** What file systems take as one name. */
export const MAX_NAME_BYTES = 255;
/** The page shows why entries were left out; nobody reads a hundred thousand of them. */
const MAX_SKIPPED = 200;

export function isFileName(part: string): boolean {
  return part !== "" && Buffer.byteLength(part) <= MAX_NAME_BYTES;
}

/** Files a folder holds, for paths of `class/file`. */
export function classesOf(files: readonly StoredFile[]): Record<string, number> {
  const classes: Record<string, number> = Object.create(null);
  for (const { path } of files) {
    const name = path.slice(0, path.indexOf("/"));
    classes[name] = (classes[name] ?? 0) + 1;
  }
  return { ...classes };
}

/** In the order of their paths, with one sum over all of them: equal trees have equal sums. */
export function foundFiles(found: Omit<FoundFiles, "sha256">): FoundFiles {
  const files = found.files.toSorted((left, right) => (left.path < right.path ? -1 : 1));
  const hash = createHash("sha256");
  for (const { path, sha256 } of files) hash.update(`${sha256}  ${path}\n`);
  const skipped = found.skipped.slice(0, MAX_SKIPPED);
  if (found.skipped.length > MAX_SKIPPED)
    skipped.push({ path: "…", reason: `and ${found.skipped.length - MAX_SKIPPED} more` });
  return { ...found, files, skipped, sha256: hash.digest("hex") };
}
