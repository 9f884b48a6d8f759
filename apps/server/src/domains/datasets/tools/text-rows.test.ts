// Texts are read as the worker reads them, and every mistake is named by its row.
import { expect, it } from "vitest";
import { type TextKind, type TextRow, TextRows, textKindOf } from "./text-rows.ts";

/** In pieces of a few bytes, so that characters and rows are cut. */
function read(kind: TextKind, text: string | Uint8Array) {
  const rows: TextRow[] = [];
  const reader = new TextRows(kind, (row) => rows.push(row));
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += 3)
    reader.push(bytes.subarray(start, start + 3));
  reader.end();
  return { rows, columns: [...reader.columns], numRows: reader.numRows };
}

it("knows texts by their names' endings", () => {
  const names = ["a.txt", "b.JSONL", "c.ndjson", "d.csv", "e.tsv", "f.png", "README"];
  expect(names.map(textKindOf)).toEqual([
    ...["text", "json-lines", "json-lines", "csv", "tsv", null, null],
  ]);
});

it("reads plain text, lines of JSON, and tables with quotes over several lines", () => {
  expect(read("text", "你好\n\nworld").rows).toEqual([{ text: "你好" }, { text: "world" }]);
  const lines = read("json-lines", '\ufeff{"text":"a","label":1}\r\n\n{"text":"b","more":true}\n');
  expect(lines).toMatchObject({ numRows: 2, columns: ["text", "label", "more"] });
  const table = read("csv", 'text,label\n"one, ""two""\nthree",x\nshort\n');
  expect(table.rows).toEqual([{ text: 'one, "two"\nthree', label: "x" }, { text: "short" }]);
  expect(read("tsv", "text\tlabel\na,b\tc\n").rows).toEqual([{ text: "a,b", label: "c" }]);
});

it("names the row of whatever is wrong", () => {
  expect(() => read("json-lines", '{"text":"a"}\nnot json\n')).toThrow(/^row 2 is no JSON/);
  expect(() => read("json-lines", "[1]\n")).toThrow("row 1 is no JSON object");
  expect(() => read("csv", "a,b\n1,2\n1,2,3\n")).toThrow("row 3 has 3 fields, the first row 2");
  expect(() => read("csv", 'a\n"never closed\n')).toThrow("row 2 is the last, and a quoted text");
  expect(() => read("csv", 'a\n"x"y\n')).toThrow("row 2 has text behind a closing quote");
  const deep = `{"text":"a","x":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
  const whole = (kind: TextKind, text: string) => new TextRows(kind).push(Buffer.from(`${text}\n`));
  expect(() => whole("json-lines", deep)).toThrow("row 1 is nested more than 100 levels deep");
  const wide = Array.from({ length: 10_001 }, (_, index) => `c${index}`).join(",");
  expect(() => whole("csv", wide)).toThrow("row 1 has 10001 columns, at most 10000");
  const latin = Buffer.concat([Buffer.from("fine\n"), Buffer.from([0xe4, 0x0a])]);
  expect(() => read("text", latin)).toThrow(/^row [23] is not UTF-8/);
  for (const kind of ["text", "csv", "json-lines"] as const)
    expect(() => read(kind, " \n\n".slice(kind === "csv" ? 1 : 0))).toThrow(
      "the file is empty; it must hold at least one text",
    );
  expect(() => read("csv", "")).toThrow("the file is empty");
  expect(() => read("csv", "text,label\n")).toThrow("a row of names, and no row of texts below it");
});
