// Looks at a folder or file of data by names and first rows alone, so that what cannot be trained on is told at once.
// Bounded: of a folder too large to be listed in a moment nothing is said.
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import {
  CLASS_FILE_TYPES,
  countFileTypes,
  type DataHeld,
  type DataTable,
  type RecipeName,
  TABLE_TYPES,
  typeOf,
} from "@spotter/contract";
import { TextProblem, TextRows, textKindOf } from "./text-rows.ts";

const MAX_ENTRIES = 20_000;
const MAX_TABLES_READ = 50;
/** The first row of a table; a longer one is left to the worker. */
const MAX_FIRST_ROW = 1024 * 1024;
/** Columns beyond these are not all counted. */
const MAX_COLUMNS = 200;
/** MNIST and its relatives: one file for all images of all classes. */
const IDX_FILE = /images?[.-]idx3-ubyte(\.gz)?$/;

interface Listing {
  /** Relative, with slashes, sorted part by part as the worker sorts them. */
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** What these errors are of, nothing is said: the worker, who reads all of it, names the file. */
const NOT_READABLE: ReadonlySet<string | undefined> = new Set(["EACCES", "EPERM", "ENOENT"]);

/** @returns null where the place is too large, cannot be read, or reaches out by links, to say anything of it */
export async function lookAtData(
  place: string,
  name: string,
  recipe: RecipeName,
): Promise<DataHeld | null> {
  try {
    return await look(place, name, recipe);
  } catch (error) {
    if (NOT_READABLE.has((error as NodeJS.ErrnoException).code)) return null;
    throw error;
  }
}

async function look(place: string, name: string, recipe: RecipeName): Promise<DataHeld | null> {
  const isFile = (await stat(place)).isFile();
  const listing = isFile ? { files: [path.basename(place)], folders: [] } : await list(place);
  if (listing === null) return null;
  const { files } = listing;
  const root = isFile ? path.dirname(place) : place;
  const tables: DataTable[] = [];
  for (const file of files.filter((one) =>
    (TABLE_TYPES as readonly string[]).includes(typeOf(one)),
  ))
    tables.push({
      file,
      columns: tables.length < MAX_TABLES_READ ? await firstColumns(path.join(root, file)) : null,
    });
  return {
    name,
    isFile,
    types: countFileTypes(files),
    tables,
    classes: classesOf(listing, recipe),
  };
}

async function list(root: string): Promise<Listing | null> {
  const files: string[] = [];
  const folders: string[] = [];
  const waiting = [""];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    for (const entry of await readdir(path.join(root, folder), { withFileTypes: true })) {
      const found = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isSymbolicLink()) return null;
      if (entry.isDirectory()) {
        folders.push(found);
        waiting.push(found);
      } else files.push(found);
      if (files.length + folders.length > MAX_ENTRIES) return null;
    }
  }
  return { files: files.sort(byParts), folders: folders.sort(byParts) };
}

function byParts(left: string, right: string): number {
  const [a, b] = [left.split("/"), right.split("/")];
  const place = a.findIndex((part, index) => part !== b[index]);
  if (place === -1) return a.length - b.length;
  return b[place] === undefined || (a[place] ?? "") > (b[place] ?? "") ? 1 : -1;
}

/** Class → its files, as the worker finds them; null where the recipe has no folders of classes, or the data is no such. */
function classesOf({ files, folders }: Listing, recipe: RecipeName): Record<string, number> | null {
  const types = CLASS_FILE_TYPES[recipe];
  if (types === undefined || files.some((file) => IDX_FILE.test(file))) return null;
  const isOfClass = (file: string) => types.includes(typeOf(file)) && !isHidden(file);
  const inside = (root: string, found: readonly string[]) =>
    found
      .filter((one) => one.startsWith(root) && !one.slice(root.length).includes("/"))
      .filter((one) => !isHidden(one.slice(root.length)));
  // A zip of `photos/` unpacks to one folder that holds the classes: that one.
  let root = "";
  for (;;) {
    const [inner, ...others] = inside(root, folders);
    if (inner === undefined || others.length > 0) break;
    if (inside(root, files).some((file) => types.includes(typeOf(file)))) break;
    if (!folders.some((one) => one.startsWith(`${inner}/`))) break;
    root = `${inner}/`;
  }
  return Object.fromEntries(
    inside(root, folders).map((folder) => [
      folder.slice(root.length),
      files.filter((file) => file.startsWith(`${folder}/`) && isOfClass(file)).length,
    ]),
  );
}

function isHidden(file: string): boolean {
  return /^(\.|__MACOSX)/.test(path.posix.basename(file));
}

/** The names that a table's first row has; null where that takes more than a look, or the worker's own words. */
async function firstColumns(file: string): Promise<string[] | null> {
  const kind = textKindOf(file);
  if (kind === null || kind === "text") return null;
  let first: readonly string[] | null = null;
  const rows = new TextRows(kind, (row) => {
    first ??= Object.keys(row);
  });
  let isWhole = true;
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 16 * 1024 })) {
      rows.push(chunk as Buffer);
      isWhole = first === null && rows.pendingLength < MAX_FIRST_ROW;
      if (!isWhole) break;
    }
    if (isWhole) rows.end();
  } catch (error) {
    // A broken row is the worker's to name: it may be far behind the first.
    if (!(error instanceof TextProblem)) throw error;
  }
  // A row of a CSV may be shorter than the row of names, which are what counts.
  const columns = kind === "json-lines" ? first : first === null ? null : [...rows.columns];
  return columns === null || rows.columns.size >= MAX_COLUMNS ? null : [...columns];
}
