// Records must come out the same however a file's bytes arrive, and damage must be told, not hidden.
import fc from "fast-check";
import { expect, test } from "vitest";
import { RecordReader } from "./record.ts";
import { encodeRecord } from "./writer.ts";

const headerBytes = 12;

function concat(pieces: Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

function splitAt(bytes: Uint8Array, cuts: number[]): Uint8Array[] {
  const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
  const edges = [0, ...places, bytes.length];
  return edges.slice(1).map((end, index) => bytes.slice(edges[index], end));
}

/** Everything that a reader says about the bytes, pushed in pieces from a buffer that is reused. */
function readAll(pieces: Uint8Array[]) {
  const reader = new RecordReader();
  const records: { data: number[]; offset: number; end: number }[] = [];
  const problems: { code: string; offset: number }[] = [];
  for (const piece of pieces) {
    const buffer = piece.slice();
    const batch = reader.push(buffer);
    records.push(...batch.records.map((record) => ({ ...record, data: [...record.data] })));
    problems.push(...batch.problems.map(({ code, offset }) => ({ code, offset })));
    buffer.fill(0xee);
  }
  const { offset, pendingBytes, failure } = reader;
  return { records, problems, offset, pendingBytes, failure: failure?.code ?? null };
}

const payloads = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 });
const cuts = fc.array(fc.nat(), { maxLength: 12 });

test("any split of the bytes gives the same records", () => {
  fc.assert(
    fc.property(payloads, cuts, (datas, places) => {
      const file = concat(datas.map(encodeRecord));
      const whole = readAll([file]);
      expect(readAll(splitAt(file, places))).toEqual(whole);
      expect(whole.records.map((record) => record.data)).toEqual(datas.map((data) => [...data]));
      expect(whole).toMatchObject({ problems: [], failure: null, pendingBytes: 0 });
    }),
  );
});

test("any split of damaged bytes gives the same records and the same problems", () => {
  fc.assert(
    fc.property(
      payloads,
      cuts,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (datas, places, at, flip) => {
        const file = concat(datas.map(encodeRecord));
        if (file.length === 0) return;
        const position = at % file.length;
        file[position] = file[position]! ^ flip;
        const whole = readAll([file]);
        expect(whole.problems).toHaveLength(1);
        const split = readAll(splitAt(file, places));
        expect(split).toEqual(whole);
      },
    ),
  );
});

test("a truncated record is kept and finished later, from the same reader or from its offset", () => {
  fc.assert(
    fc.property(
      payloads,
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc.nat(),
      (datas, last, at) => {
        const before = concat(datas.map(encodeRecord));
        const record = encodeRecord(last);
        const cut = at % record.length;
        const reader = new RecordReader();
        expect(reader.push(concat([before, record.slice(0, cut)])).records).toHaveLength(
          datas.length,
        );
        expect(reader).toMatchObject({ offset: before.length, pendingBytes: cut });
        expect(reader.push(record.slice(cut)).records).toMatchObject([{ data: last }]);
        const resumed = new RecordReader(before.length);
        const [again] = resumed.push(record).records;
        expect(again).toMatchObject({ data: last, offset: before.length });
      },
    ),
  );
});

test("damaged data skips that record only", () => {
  const file = concat([[1], [2], [3]].map((data) => encodeRecord(Uint8Array.from(data))));
  file[17 + headerBytes] = 99;
  const { records, problems, failure } = readAll([file]);
  expect(records.map((record) => record.data)).toEqual([[1], [3]]);
  expect(problems).toEqual([{ code: "bad-data-crc", offset: 17 }]);
  expect(failure).toBeNull();
});

test("a damaged length ends the file, and what came before is kept", () => {
  const file = concat([[1], [2], [3]].map((data) => encodeRecord(Uint8Array.from(data))));
  file[17] = 2;
  const reader = new RecordReader();
  expect(reader.push(file).records).toHaveLength(1);
  expect(reader.failure).toMatchObject({ code: "bad-length-crc", offset: 17 });
  expect(reader.push(encodeRecord(Uint8Array.of(4)))).toEqual({ records: [], problems: [] });
});

test("a record beyond the cap ends the file before its bytes are gathered", () => {
  const reader = new RecordReader(0, 100);
  expect(reader.push(encodeRecord(new Uint8Array(100))).records).toHaveLength(1);
  expect(reader.push(encodeRecord(new Uint8Array(101)).slice(0, headerBytes)).records).toEqual([]);
  expect(reader.failure).toMatchObject({ code: "record-too-long", offset: 116 });
});
