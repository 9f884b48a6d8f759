// One run over several files: growth, restarts, damage, and going on from a stored cursor.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { RunCursor } from "./run-cursor.ts";
import type { RunItem } from "./run-items.ts";
import { RunReader } from "./run-reader.ts";
import { EventFileWriter, encodeRecord, type ScalarStyle } from "./writer.ts";

type Files = Record<string, Uint8Array>;

function scalarFile(points: [tag: string, step: number][], style: ScalarStyle = "simple") {
  const writer = new EventFileWriter(style);
  const records = points.map(([tag, step]) => {
    return writer.scalars({ step, wallTime: step, values: { [tag]: step } });
  });
  return concat([writer.fileVersion(0), ...records]);
}

function concat(pieces: Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

function steps(tag: string, first: number, last: number): [string, number][] {
  return Array.from({ length: last - first + 1 }, (_, index) => [tag, first + index]);
}

function readAll(run: RunReader, files: Files): RunItem[] {
  const seen = Object.entries(files).map(([name, bytes]) => ({ name, size: bytes.length }));
  const items = run.observe(seen);
  for (const name of run.fileNames()) {
    const unread = run.unread(name);
    const bytes = files[name];
    if (unread && bytes) items.push(...run.push(name, unread.offset, bytes.slice(unread.offset)));
  }
  return items;
}

/** The order of points and of everything else, without how points are grouped. */
function flatten(items: RunItem[]): unknown[] {
  return items.flatMap((item): unknown[] => {
    if (item.kind !== "scalars") return [item];
    return item.step.map((step) => `${item.tag}@${step}`);
  });
}

test("a later file whose steps go back is a restart, and is told before its points", () => {
  const files = { a: scalarFile(steps("loss", 0, 5)), b: scalarFile(steps("loss", 3, 7)) };
  const items = flatten(readAll(new RunReader(), files));
  expect(items.slice(6, 8)).toEqual([{ kind: "restart", file: "b", step: 3 }, "loss@3"]);
  expect(items).toHaveLength(12);
});

test("a later file that goes on, or that has other tags, is no restart", () => {
  const files = {
    a: scalarFile(steps("loss", 0, 5)),
    b: scalarFile(steps("loss", 6, 7)),
    c: scalarFile(steps("eval", 0, 1)),
  };
  expect(readAll(new RunReader(), files).map((item) => item.kind)).not.toContain("restart");
});

test("after a restart, a third file that goes on where the second ended is no restart", () => {
  const files = {
    a: scalarFile(steps("loss", 0, 9)),
    b: scalarFile(steps("loss", 3, 5)),
    c: scalarFile(steps("loss", 6, 7)),
  };
  const restarts = readAll(new RunReader(), files).filter((item) => item.kind === "restart");
  expect(restarts).toEqual([{ kind: "restart", file: "b", step: 3 }]);
});

test("an announced restart counts once, and only if it voids points", () => {
  const writer = new EventFileWriter();
  const points = scalarFile(steps("loss", 4, 6));
  const purging = concat([writer.restart(4, 0), points]);
  const late = concat([writer.restart(7, 0), scalarFile(steps("loss", 7, 8))]);
  const files = { a: scalarFile(steps("loss", 0, 5)), b: purging, c: late };
  const restarts = readAll(new RunReader(), files).filter((item) => item.kind === "restart");
  expect(restarts).toEqual([{ kind: "restart", file: "b", step: 4 }]);
});

test("two writers side by side restart at most once each", () => {
  const run = new RunReader();
  const items = [3, 6, 9].flatMap((last) => {
    const file = scalarFile(steps("loss", 0, last));
    return readAll(run, { a: file, b: file });
  });
  expect(items.filter((item) => item.kind === "restart")).toHaveLength(1);
  expect(flatten(items).filter((item) => typeof item === "string")).toHaveLength(20);
});

test("a file that shrank is reported and read again from its start, as a restart", () => {
  const run = new RunReader();
  readAll(run, { a: scalarFile(steps("loss", 0, 5)) });
  const items = flatten(readAll(run, { a: scalarFile(steps("loss", 0, 1)) }));
  expect(items).toEqual([
    { kind: "file-reset", file: "a" },
    { kind: "restart", file: "a", step: 0 },
    "loss@0",
    "loss@1",
  ]);
});

test("a damaged length kills its file for good, says so once, and spares the other files", () => {
  const [intact, record] = [scalarFile(steps("loss", 0, 4)), scalarFile(steps("loss", 5, 5))];
  const damaged = concat([intact, record]);
  damaged[intact.length] = 0xff;
  const files = { a: damaged, b: scalarFile(steps("eval", 0, 1)) };
  const run = new RunReader();
  const items = flatten(readAll(run, files));
  const problems = items.filter((item) => typeof item !== "string");
  expect(problems).toMatchObject([{ kind: "problem", file: "a", code: "bad-length-crc" }]);
  expect(items.slice(-2)).toEqual(["eval@0", "eval@1"]);
  files.a = concat([damaged, scalarFile(steps("loss", 6, 7))]);
  expect(readAll(run, files)).toEqual([]);
  const resumed = new RunReader(JSON.parse(JSON.stringify(run.cursor())) as RunCursor);
  expect(readAll(resumed, files)).toEqual([]);
});

test("an intact record that is no event is reported, and reading goes on", () => {
  const file = concat([encodeRecord(Uint8Array.of(0xff)), scalarFile(steps("loss", 1, 1))]);
  const items = flatten(readAll(new RunReader(), { a: file }));
  expect(items).toMatchObject([{ kind: "problem", offset: 0, code: "malformed-event" }, "loss@1"]);
});

test("bytes that do not follow on, or of an unknown file, are refused", () => {
  const run = new RunReader();
  run.observe([{ name: "a", size: 100 }]);
  expect(() => run.push("a", 5, new Uint8Array(1))).toThrow("at byte 0, not at 5");
  expect(() => run.push("b", 0, new Uint8Array(1))).toThrow("never observed");
});

const history = fc.record({
  lives: fc.array(
    fc.record({
      first: fc.nat({ max: 12 }),
      count: fc.integer({ min: 1, max: 8 }),
      style: fc.constantFrom<ScalarStyle>("simple", "tensor"),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  cuts: fc.array(fc.record({ at: fc.nat(), store: fc.boolean() }), { maxLength: 10 }),
});

test("growing files and stored cursors change nothing about what is given", () => {
  fc.assert(
    fc.property(history, ({ lives, cuts }) => {
      const files = lives.map(({ first, count, style }, index) => {
        const points = steps("loss", first, first + count).concat(steps(`only-${index}`, 0, 1));
        return [`file-${index}`, scalarFile(points, style)] as const;
      });
      const whole = flatten(readAll(new RunReader(), Object.fromEntries(files)));
      // Files grow one after another, as the lives of one training do.
      const total = files.reduce((sum, [, bytes]) => sum + bytes.length, 0);
      const places = cuts.map(({ at, store }) => ({ at: at % (total + 1), store }));
      places.sort((a, b) => a.at - b.at);
      const pieces: RunItem[] = [];
      let run = new RunReader();
      for (const { at, store } of [...places, { at: total, store: false }]) {
        let left = at;
        const grown: Files = {};
        for (const [name, bytes] of files) {
          if (left > 0) grown[name] = bytes.slice(0, left);
          left -= bytes.length;
        }
        pieces.push(...readAll(run, grown));
        if (store) run = new RunReader(JSON.parse(JSON.stringify(run.cursor())) as RunCursor);
      }
      // Within one push points are gathered by tag, so only the order inside a tag is promised.
      expect(orderedByTag(flatten(pieces))).toEqual(orderedByTag(whole));
    }),
  );
});

function orderedByTag(flat: unknown[]): Record<string, unknown[]> {
  const groups: Record<string, unknown[]> = {};
  for (const item of flat) {
    const isPoint = typeof item === "string";
    const keys = isPoint ? [item.split("@")[0]!] : ["loss", "other"];
    for (const key of keys) groups[key] = [...(groups[key] ?? []), item];
  }
  return groups;
}
