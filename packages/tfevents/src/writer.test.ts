// What the writer writes, the readers read back: the round trip, through the whole run reader.
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeEvent } from "./event.ts";
import { RecordReader } from "./record.ts";
import type { RunItem } from "./run-items.ts";
import { RunReader } from "./run-reader.ts";
import { EventFileWriter, type ScalarStyle } from "./writer.ts";

function readFile(pieces: Uint8Array[]): RunItem[] {
  const file = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
  const run = new RunReader();
  run.observe([{ name: "events.out.tfevents.1", size: file.length }]);
  return run.push("events.out.tfevents.1", 0, file);
}

const point = fc.record({
  step: fc.maxSafeInteger(),
  wallTime: fc.double({ noNaN: true }),
  values: fc.dictionary(fc.string({ unit: "grapheme" }), fc.float(), { minKeys: 1, maxKeys: 3 }),
});

test.each<ScalarStyle>(["simple", "tensor"])("scalars of %s style come back", (style) => {
  fc.assert(
    fc.property(fc.array(point, { maxLength: 6 }), (points) => {
      const writer = new EventFileWriter(style);
      const items = readFile([
        writer.fileVersion(1),
        ...points.map((each) => writer.scalars(each)),
      ]);
      const read = new Map<string, [number, number, number][]>();
      for (const item of items) {
        if (item.kind !== "scalars") throw new Error(`unexpected ${item.kind}`);
        const rows = item.step.map((step, index): [number, number, number] => {
          return [step, item.time[index]!, item.value[index]!];
        });
        read.set(item.tag, rows);
      }
      const written = new Map<string, [number, number, number][]>();
      for (const { step, wallTime, values } of points) {
        for (const [tag, value] of Object.entries(values)) {
          written.set(tag, [...(written.get(tag) ?? []), [step, wallTime, value]]);
        }
      }
      expect(read).toEqual(written);
    }),
  );
});

test("the first record is the file version that TensorBoard asks for", () => {
  const [record] = new RecordReader().push(new EventFileWriter().fileVersion(12.5)).records;
  expect(decodeEvent(record!.data)).toMatchObject({ fileVersion: "brain.Event:2", wallTime: 12.5 });
});

test("a session comes back with its values, its columns and its end", () => {
  const writer = new EventFileWriter();
  const hyperparameters = { lr: 0.1, optimizer: "sgd", nesterov: true };
  const session = { hyperparameters, metrics: ["acc"], groupName: "group", startTime: 5 };
  const items = readFile([writer.sessionStart(session, 5), writer.sessionEnd("failure", 9)]);
  expect(items).toEqual([
    {
      kind: "experiment",
      experiment: {
        hyperparameters: [
          { name: "lr", type: "float" },
          { name: "optimizer", type: "string" },
          { name: "nesterov", type: "bool" },
        ],
        metrics: [{ group: "", tag: "acc" }],
      },
    },
    { kind: "hparams", hyperparameters, groupName: "group", startTime: 5 },
    { kind: "session-end", status: "failure", endTime: 9 },
  ]);
});

test("intact records with any other content are told as malformed and never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (data) => {
      try {
        decodeEvent(data);
      } catch (error) {
        expect(error).toMatchObject({ name: "WireError" });
      }
    }),
  );
});
