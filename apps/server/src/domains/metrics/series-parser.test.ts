// The quick reader of metric points agrees with the contract's schema.
import { MetricPointsEvent } from "@spotter/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkSeries, readSeries } from "./series-parser.ts";

const step = fc.oneof(
  { weight: 20, arbitrary: fc.maxSafeInteger() },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(1.5, 2 ** 53, "1", null, true) },
);
const time = fc.oneof(
  { weight: 20, arbitrary: fc.double({ min: 0, max: 1e11, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(-1, 2e11, "0", null) },
);
const value = fc.oneof(
  { weight: 20, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 5, arbitrary: fc.constantFrom<unknown>("NaN", "Infinity", "-Infinity") },
  { weight: 1, arbitrary: fc.constantFrom<unknown>("nan", "1", null, {}, Infinity) },
);
const name = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom("train/loss", "a", "x y", "ε/b") },
  { weight: 1, arbitrary: fc.constantFrom("/a", "a/", "", "a\nb", "n".repeat(251)) },
  { weight: 1, arbitrary: fc.string({ maxLength: 5 }).filter((text) => text !== "__proto__") },
);
const columns = fc.array(fc.tuple(step, time, value), { maxLength: 6 }).map((points) => ({
  step: points.map((point) => point[0]),
  time: points.map((point) => point[1]),
  value: points.map((point) => point[2]),
}));
const anySeries: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 20, arbitrary: fc.dictionary(name, columns, { maxKeys: 4, noNullPrototype: true }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>([], null, 5, { a: { step: [], time: [] } }) },
  {
    weight: 1,
    arbitrary: fc.constant<unknown>({ a: { step: [], time: [], value: [], extra: 1 } }),
  },
);

describe("reading metric points", () => {
  it("says yes and no where the contract does", () => {
    fc.assert(
      fc.property(anySeries, (series) => {
        const bySchema = MetricPointsEvent.safeParse({ type: "metric-points", series });
        expect(checkSeries(series) !== null).toBe(bySchema.success);
        if (bySchema.success) expect(() => readSeries(series)).not.toThrow();
        else expect(() => readSeries(series)).toThrow();
      }),
      { numRuns: 2000 },
    );
  });

  it("gives the numbers as columns, non-finite ones as themselves", () => {
    const parsed = readSeries({
      loss: { step: [1, 2], time: [10, 11], value: ["NaN", 0.5] },
      empty: { step: [], time: [], value: [] },
      accuracy: { step: [2], time: [12], value: ["-Infinity"] },
    });
    expect(parsed.names).toEqual(["loss", "accuracy"]);
    expect([...parsed.columns.counts]).toEqual([2, 1]);
    expect([...parsed.columns.step]).toEqual([1, 2, 2]);
    expect([...parsed.columns.time]).toEqual([10, 11, 12]);
    expect([...parsed.columns.value]).toEqual([Number.NaN, 0.5, Number.NEGATIVE_INFINITY]);
  });

  it("names the series whose columns differ in length", () => {
    const series = { loss: { step: [1, 2], time: [10], value: [1, 2] } };
    expect(checkSeries(series)).toBe(null);
    expect(() => readSeries(series)).toThrow(
      expect.objectContaining({ code: "columns-uneven", message: expect.stringContaining("loss") }),
    );
  });
});
