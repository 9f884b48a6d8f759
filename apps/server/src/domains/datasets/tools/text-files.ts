// Takes files of texts into the content store, from an archive or one by one: read whole on their way, and refused with
// file and row where a training would fail over them.
import { createReadStream } from "node:fs";
import path from "node:path";
import { type Readable, Transform } from "node:stream";
import type { ContentStore } from "../../../platform/content-store.ts";
import { archiveEmpty, textInvalid } from "../errors.ts";
import type { StoredFile } from "../store.ts";
import { type Archive, countTopFolders, MAX_FILE_BYTES, openEntry } from "./archive.ts";
import { classesOf, type FoundFiles, foundFiles, isFileName } from "./found-files.ts";
import { type TextKind, TextProblem, type TextRow, TextRows, textKindOf } from "./text-rows.ts";

interface ReadText extends StoredFile {
  readonly kind: TextKind;
  readonly numRows: number;
  readonly columns: ReadonlySet<string>;
}

/** Rows of tables are counted by this column, which is the recipes' default name for the class. */
const LABEL_COLUMN = "label";
/** More different values than these are no classes. */
const MAX_LABELS = 1_000;
const MAX_LABEL_LENGTH = 100;

/** Whether most of an archive's files are texts by their names. */
export function holdsTexts({ entries }: Archive): boolean {
  const numTexts = entries.filter(({ fileName }) => textKindOf(fileName) !== null).length;
  return numTexts * 2 > entries.length;
}

/** Files at the top, or one folder a class with .txt files. Throws `archive-empty`, `text-invalid`. */
export async function importTextFolder(
  { zip, entries, skipped }: Archive,
  content: ContentStore,
): Promise<FoundFiles> {
  const numTopFolders = topFolders(entries.map(({ fileName }) => fileName));
  const labels = new Labels();
  const texts: ReadText[] = [];
  for (const entry of entries) {
    const parts = entry.fileName.split("/").slice(numTopFolders);
    const kind = textKindOf(entry.fileName);
    if (kind === null || parts.length > 2 || !parts.every(isFileName))
      skipped.push({ path: entry.fileName, reason: reasonToSkip(kind, parts) });
    else
      texts.push(
        await readText(await openEntry(zip, entry), parts.join("/"), kind, content, labels),
      );
  }
  if (texts.length === 0) throw archiveEmpty();
  return summarise(texts, labels, skipped);
}

/** Throws `text-invalid`. */
export async function importTextFile(
  file: string,
  name: string,
  kind: TextKind,
  content: ContentStore,
): Promise<FoundFiles> {
  const labels = new Labels();
  const text = await readText(createReadStream(file), name, kind, content, labels);
  return summarise([text], labels, []);
}

async function readText(
  source: Readable,
  name: string,
  kind: TextKind,
  content: ContentStore,
  labels: Labels,
): Promise<ReadText> {
  const rows = new TextRows(kind, (row) => labels.count(row));
  const look = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      attempt(() => rows.push(chunk), done, chunk);
    },
    flush: (done) => attempt(() => rows.end(), done),
  });
  try {
    const stored = await content.put(source, { maxBytes: MAX_FILE_BYTES }, look);
    return { path: name, ...stored, kind, numRows: rows.numRows, columns: rows.columns };
  } catch (error) {
    if (error instanceof TextProblem) throw textInvalid(name, error.row, error.message);
    throw error;
  }
}

function attempt(
  work: () => void,
  done: (error?: Error | null, chunk?: Buffer) => void,
  chunk?: Buffer,
): void {
  try {
    work();
  } catch (error) {
    done(error as Error);
    return;
  }
  done(null, chunk);
}

/** 1 when everything lies in one folder and that is no class: it holds tables, or folders itself. */
function topFolders(names: readonly string[]): number {
  const tops = new Set(names.map((name) => name.split("/")[0]));
  const isWrapped = tops.size === 1 && names.every((name) => name.includes("/"));
  const isTable = (name: string) => !/\.(txt|md)$/i.test(path.posix.basename(name));
  if (isWrapped && names.some((name) => name.split("/").length === 2 && isTable(name))) return 1;
  return countTopFolders(names);
}

function reasonToSkip(kind: TextKind | null, parts: readonly string[]): string {
  if (kind === null) return "is not a .txt, .md, .jsonl, .ndjson, .csv or .tsv file";
  return parts.length > 2 ? "is deeper than its class folder" : "has an empty or too long name";
}

function summarise(
  texts: readonly ReadText[],
  labels: Labels,
  skipped: FoundFiles["skipped"],
): FoundFiles {
  const isClassFolder = texts.every(
    ({ kind, path: name }) => kind === "text" && name.includes("/"),
  );
  const files = texts.map(({ path: name, sha256, size }) => ({ path: name, sha256, size }));
  return foundFiles({
    ...{ kind: "text" as const, files, skipped },
    classes: isClassFolder ? classesOf(files) : labels.classes,
    numRows: texts.reduce((sum, text) => sum + text.numRows, 0),
    columns: [...new Set(texts.flatMap(({ columns }) => [...columns]))],
  });
}

/** How often each class comes, as long as they look like classes. */
class Labels {
  #counts: Map<string, number> | null = new Map();

  count(row: TextRow): void {
    const value = row[LABEL_COLUMN];
    if (this.#counts === null || value === undefined || value === null) return;
    const label = String(value).trim();
    const isClass = typeof value !== "object" && label.length <= MAX_LABEL_LENGTH;
    if (isClass && label !== "") this.#counts.set(label, (this.#counts.get(label) ?? 0) + 1);
    if (!isClass || this.#counts.size > MAX_LABELS) this.#counts = null;
  }

  get classes(): Record<string, number> {
    return Object.fromEntries([...(this.#counts ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
