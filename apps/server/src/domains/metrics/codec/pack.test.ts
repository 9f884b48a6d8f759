// Packed columns come back bit for bit, and small.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Column, pack, packedCount, unpack } from "./pack.ts";

const bits = (data: Float64Array) => Array.from(new BigUint64Array(data.slice().buffer));
const integers = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: 0, max: 1000 }));
const times = fc.double({ min: 0, max: 1e11, noNaN: true });
const rows = fc.array(fc.tuple(integers, times, fc.double()), { maxLength: 3000, size: "max" });

describe("packed columns", () => {
  it("come back bit for bit, whatever they hold", () => {
    fc.assert(
      fc.property(rows, (points) => {
        const columns: Column[] = [
          { kind: "integer", data: Float64Array.from(points, (point) => point[0]) },
          { kind: "time", data: Float64Array.from(points, (point) => point[1]) },
          { kind: "value", data: Float64Array.from(points, (point) => point[2]) },
        ];
        const packed = pack(columns);
        expect(packedCount(packed)).toBe(points.length);
        const unpacked = unpack(packed);
        expect(unpacked.length).toBe(3);
        // A step of -0 is the step 0.
        expect(Array.from(unpacked[0]!, (step) => step + 0)).toEqual(
          points.map((point) => point[0] + 0),
        );
        expect(bits(unpacked[1]!)).toEqual(bits(columns[1]!.data));
        expect(bits(unpacked[2]!)).toEqual(bits(columns[2]!.data));
      }),
      { numRuns: 60 },
    );
  });

  it("cost nothing for regular steps and little for noise of single precision", () => {
    const count = 4096;
    const steps = Float64Array.from({ length: count }, (_, index) => 5_000_000_000 + index * 10);
    const values = Float64Array.from({ length: count }, (_, index) =>
      Math.fround(2 + Math.sin(index * 99.7) * 0.9),
    );
    expect(pack([{ kind: "integer", data: steps }]).length).toBeLessThan(40);
    expect(pack([{ kind: "value", data: values }]).length).toBeLessThan(count * 3.6);
  });

  it("refuse a format version that they do not know", () => {
    const packed = pack([{ kind: "value", data: new Float64Array(3) }]);
    packed[0] = 9;
    expect(() => unpack(packed)).toThrow("format version 9");
  });
});
