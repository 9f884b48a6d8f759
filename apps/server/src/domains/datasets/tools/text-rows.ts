// Reads a file of texts as it streams by: strictly UTF-8, its rows and columns counted, and whatever is wrong named by its row.
import { CsvProblem, CsvRows } from "./csv-rows.ts";

export type TextKind = "text" | "json-lines" | "csv" | "tsv";
export type TextRow = Readonly<Record<string, unknown>>;

/** By the name's ending: text has no first bytes to be known by. */
export function textKindOf(name: string): TextKind | null {
  const ending = /\.([a-z]+)$/i.exec(name)?.[1]?.toLowerCase();
  if (ending === "txt" || ending === "md") return "text";
  if (ending === "jsonl" || ending === "ndjson") return "json-lines";
  return ending === "csv" || ending === "tsv" ? ending : null;
}

/** A mistake in the file; the message is the end of a sentence that names the file. */
export class TextProblem extends Error {
  readonly row: number;

  /** @param row null: of the file as a whole */
  constructor(row: number | null, what: string) {
    super(row === null ? what : `row ${row} ${what}`);
    this.row = row ?? 1;
  }
}

const NEWLINE = 0x0a;
const MAX_LINE = 32 * 1024 * 1024;
const MAX_COLUMNS = 200;
/** More in one row are a mistake, and make every reader of it slow. */
const MAX_FIELDS = 10_000;
/** Readers of JSON go down by calling themselves. */
const MAX_DEPTH = 100;

export class TextRows {
  readonly #kind: TextKind;
  readonly #onRow: (row: TextRow, number: number) => void;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  readonly #csv: CsvRows;
  #line = "";
  /** Of the line that is being read, from 1. */
  #number = 1;
  #header: string[] | null = null;
  numRows = 0;
  readonly columns = new Set<string>();

  constructor(kind: TextKind, onRow: (row: TextRow, number: number) => void = () => undefined) {
    this.#kind = kind;
    this.#onRow = onRow;
    this.#csv = new CsvRows(kind === "tsv" ? "\t" : ",");
  }

  /** @throws TextProblem */
  push(chunk: Uint8Array): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      this.#line += this.#decode(chunk.subarray(start, end === -1 ? chunk.length : end));
      if (this.#line.length > MAX_LINE && this.#kind !== "text")
        throw new TextProblem(this.#number, "has more than 32 MB");
      if (end === -1) return;
      this.#endLine();
      start = end + 1;
    }
  }

  /** @throws TextProblem */
  end(): void {
    try {
      this.#line += this.#decoder.decode();
    } catch {
      throw notUtf8(this.#number);
    }
    if (this.#line !== "") this.#endLine();
    if (this.#csv.isOpen)
      throw new TextProblem(this.#number - 1, "is the last, and a quoted text goes on behind it");
    if (this.numRows > 0) return;
    if (this.#header !== null)
      throw new TextProblem(null, "there is a row of names, and no row of texts below it");
    throw new TextProblem(null, "the file is empty; it must hold at least one text");
  }

  /** Characters of the line that has not ended yet. */
  get pendingLength(): number {
    return this.#line.length;
  }

  /** Takes what is there of a line as all of it, for whoever wants no more than a look. */
  endEarly(): void {
    if (this.#line !== "") this.#endLine();
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes, { stream: true });
    } catch {
      // The decoder's own error knows no more than that.
      throw notUtf8(this.#number);
    }
  }

  #endLine(): void {
    // A byte that waits for its fellows at a line's end is half a character.
    const line = this.#line.endsWith("\r") ? this.#line.slice(0, -1) : this.#line;
    this.#line = "";
    this.#take(line);
    this.#number += 1;
  }

  #take(line: string): void {
    if (this.#kind === "csv" || this.#kind === "tsv") this.#takeCsv(line);
    else if (line.trim() === "") return;
    else if (this.#kind === "text") this.#found({ text: line });
    else this.#takeJson(line);
  }

  #takeJson(line: string): void {
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch (error) {
      throw new TextProblem(this.#number, `is no JSON (${(error as Error).message})`);
    }
    if (typeof row !== "object" || row === null || Array.isArray(row))
      throw new TextProblem(this.#number, "is no JSON object with names and values");
    this.#name(Object.keys(row));
    if (isDeeperThan(MAX_DEPTH, row))
      throw new TextProblem(this.#number, `is nested more than ${MAX_DEPTH} levels deep`);
    this.#found(row as TextRow);
  }

  #takeCsv(line: string): void {
    const fields = this.#csvFields(line);
    if (fields === null || (fields.length === 1 && fields[0] === "")) return;
    if (this.#header === null) {
      this.#header = fields;
      this.#name(fields);
      return;
    }
    if (fields.length > this.#header.length)
      throw new TextProblem(
        this.#number,
        `has ${fields.length} fields, the first row ${this.#header.length} names; put texts with commas in quotes`,
      );
    const header = this.#header;
    this.#found(Object.fromEntries(fields.map((field, index) => [header[index] ?? "", field])));
  }

  #csvFields(line: string): string[] | null {
    try {
      return this.#csv.line(line);
    } catch (error) {
      if (error instanceof CsvProblem) throw new TextProblem(this.#number, error.message);
      throw error;
    }
  }

  #name(columns: readonly string[]): void {
    if (columns.length > MAX_FIELDS)
      throw new TextProblem(this.#number, `has ${columns.length} columns, at most ${MAX_FIELDS}`);
    for (const column of columns) if (this.columns.size < MAX_COLUMNS) this.columns.add(column);
  }

  #found(row: TextRow): void {
    this.numRows += 1;
    this.#onRow(row, this.#number);
  }
}

/** Level by level, without calling itself. */
function isDeeperThan(max: number, value: object): boolean {
  let level: object[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= max) return true;
    level = level
      .flatMap((one) => Object.values(one) as unknown[])
      .filter((one): one is object => typeof one === "object" && one !== null);
  }
  return false;
}

function notUtf8(row: number): TextProblem {
  return new TextProblem(row, "is not UTF-8; save the file as UTF-8");
}
