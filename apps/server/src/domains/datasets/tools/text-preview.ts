// The first rows of a version's texts, to look at; values are cut to what fits on a page, and said to be.
import { createReadStream } from "node:fs";
import type { PreviewRow } from "@spotter/contract";
import type { StoredFile } from "../store.ts";
import { TextRows, textKindOf } from "./text-rows.ts";

const MAX_CHARACTERS = 500;
const MAX_COLUMNS = 20;
/** A text may be one line of many megabytes; a page shows its beginning. */
const MAX_LINE = 64 * 1024;

/** @param open where a file's content lies */
export async function previewTexts(
  files: readonly StoredFile[],
  open: (file: StoredFile) => string,
  limit: number,
): Promise<PreviewRow[]> {
  const rows: PreviewRow[] = [];
  for (const file of files) {
    if (rows.length >= limit) break;
    const kind = textKindOf(file.path);
    if (kind === null) continue;
    // Fairly: a folder of one text a file shows several files, a table its first rows.
    const before = rows.length;
    const reader = new TextRows(kind, (row, number) => {
      if (rows.length < limit) rows.push({ path: file.path, row: number, ...cut(row) });
    });
    const wanted = kind === "text" && files.length > 1 ? before + 1 : limit;
    let isCutShort = false;
    for await (const chunk of createReadStream(open(file), { highWaterMark: 16 * 1024 })) {
      reader.push(chunk as Buffer);
      isCutShort = kind === "text" && reader.pendingLength > MAX_LINE;
      if (isCutShort) reader.endEarly();
      if (isCutShort || rows.length >= wanted) break;
    }
    if (rows.length < wanted && !isCutShort) reader.end();
    rows.splice(Math.max(wanted, before));
  }
  return rows;
}

function cut(row: Readonly<Record<string, unknown>>): Pick<PreviewRow, "fields" | "is_cut"> {
  const entries = Object.entries(row);
  const fields = entries
    .slice(0, MAX_COLUMNS)
    .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  const isCut =
    entries.length > MAX_COLUMNS || fields.some(([, value = ""]) => value.length > MAX_CHARACTERS);
  return {
    fields: Object.fromEntries(
      fields.map(([name, value = ""]) => [name, value.slice(0, MAX_CHARACTERS)]),
    ),
    is_cut: isCut,
  };
}
