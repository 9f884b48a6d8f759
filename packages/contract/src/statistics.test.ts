// The tests of two groups against scipy 1.17: ttest_rel, ttest_ind(equal_var=False), t.interval, and nct for the power.
import { expect, it } from "vitest";
import { describeSample, pairedTest, powerOf, seedsFor, welchTest } from "./statistics.ts";

const A = [0.912, 0.905, 0.918, 0.909, 0.914];
const B = [0.921, 0.917, 0.926, 0.915, 0.922];

it("gives a mean with its standard deviation and 95 % t interval", () => {
  const sample = describeSample(A);
  expect(sample.mean).toBeCloseTo(0.9116, 12);
  expect(sample.sd).toBeCloseTo(0.004929503017546499, 12);
  expect(sample.interval?.[0]).toBeCloseTo(0.9054792135740757, 10);
  expect(sample.interval?.[1]).toBeCloseTo(0.9177207864259243, 10);
});

it("gives one value no interval, and refuses none", () => {
  expect(describeSample([0.5])).toEqual({ n: 1, mean: 0.5, sd: null, interval: null });
  expect(() => describeSample([])).toThrow(RangeError);
});

it("tests pairs by their differences, with d_z", () => {
  const test = pairedTest(A, B);
  expect(test?.t).toBeCloseTo(8.777338244973055, 8);
  expect(test?.p).toBeCloseTo(0.000929016369300126, 10);
  expect(test?.df).toBe(4);
  expect(test?.interval[0]).toBeCloseTo(0.005879650477366982, 10);
  expect(test?.interval[1]).toBeCloseTo(0.011320349522633031, 10);
  expect(test?.effect).toBeCloseTo(3.9253449954536905, 8);
});

it("tests independent groups by Welch, with Cohen's d and Hedges' g", () => {
  const test = welchTest(A, B);
  expect(test?.t).toBeCloseTo(2.9325756597230512, 8);
  expect(test?.p).toBeCloseTo(0.019273708824911407, 10);
  expect(test?.df).toBeCloseTo(7.866578740241232, 8);
  expect(test?.interval[0]).toBeCloseTo(0.0018174518990754325, 10);
  expect(test?.interval[1]).toBeCloseTo(0.01538254810092467, 10);
  expect(test?.cohensD).toBeCloseTo(1.8547236990991505, 8);
  expect(test?.effect).toBeCloseTo(1.6742652662254456, 8);
});

it("takes groups of different sizes and spreads", () => {
  const test = welchTest([1.52, 1.61, 1.49], [1.58, 1.44, 1.71, 1.39, 1.66, 1.5]);
  expect(test?.t).toBeCloseTo(0.10641911629294475, 8);
  expect(test?.p).toBeCloseTo(0.9182650323516073, 10);
  expect(test?.df).toBeCloseTo(6.929572570343773, 8);
  expect(test?.interval[0]).toBeCloseTo(-0.14177187656723142, 9);
  expect(test?.interval[1]).toBeCloseTo(0.15510520990056506, 9);
  expect(test?.effect).toBeCloseTo(0.05325718837109147, 8);
  expect(test?.planned).toBeCloseTo((test?.difference ?? 0) / 0.09911273043021938, 8);
});

it("makes no test of single values, of no spread, or of pairs that all differ by the same", () => {
  expect(welchTest([1], [2, 3])).toBeNull();
  expect(welchTest([1, 1, 1], [2, 2, 2])).toBeNull();
  expect(pairedTest([1], [2])).toBeNull();
  // 0.1 + 0.2 and its like leave a spread of 1e-17, which is none.
  expect(pairedTest([0.1, 0.2, 0.7], [0.4, 0.5, 1.0])).toBeNull();
  expect(pairedTest([0, 0], [0, 0])).toBeNull();
});

it("tests a group without spread against one that has some", () => {
  expect(welchTest([1, 1, 1], [2, 2.1, 1.9])?.df).toBeCloseTo(2, 10);
});

it.each([
  [0.2, 394, 199],
  [0.5, 64, 34],
  [0.8, 26, 15],
  [1, 17, 10],
  [1.5, 9, 6],
  [2, 6, 5],
  [3, 4, 4],
])("needs for an effect of %d %d seeds a group, or %d pairs", (effect, groups, pairs) => {
  expect(seedsFor("welch", effect)).toBe(groups);
  expect(seedsFor("welch", -effect)).toBe(groups);
  expect(seedsFor("paired", effect)).toBe(pairs);
});

it("has the power that the noncentral t gives", () => {
  expect(powerOf("welch", 0.5, 64)).toBeCloseTo(0.8014595579222541, 8);
  expect(powerOf("paired", 1, 9)).toBeCloseTo(0.7480170922294767, 8);
});

it("does not plan for an effect of nothing, or of so little that nobody would wait", () => {
  expect(seedsFor("welch", 0)).toBeNull();
  expect(seedsFor("paired", Number.NaN)).toBeNull();
  expect(seedsFor("welch", 0.01)).toBeNull();
});

it.each([1e308, 1e200, 1e100, 1e-81, 1e-200, 1e-300])(
  "says of values about %d what it says of the same about 1",
  (scale) => {
    const first = [1, 0.9, 0.5];
    const second = [0.1, 0.2, 0.15];
    const scaled = (values: readonly number[]) => values.map((value) => value * scale);
    for (const test of [pairedTest, welchTest]) {
      const [plain, far] = [test(first, second), test(scaled(first), scaled(second))];
      expect(far?.p).toBeCloseTo(plain?.p ?? 0, 10);
      expect(far?.df).toBeCloseTo(plain?.df ?? 0, 10);
      expect(far?.effect).toBeCloseTo(plain?.effect ?? 0, 10);
      expect((far?.difference ?? 0) / scale).toBeCloseTo(plain?.difference ?? 0, 10);
      expect((far?.interval[0] ?? 0) / scale).toBeCloseTo(plain?.interval[0] ?? 0, 10);
    }
    const [plain, far] = [describeSample(first), describeSample(scaled(first))];
    expect(far.mean / scale).toBeCloseTo(plain.mean, 10);
    expect((far.sd ?? 0) / scale).toBeCloseTo(plain.sd ?? 0, 10);
  },
);

it("stays within the numbers that there are", () => {
  const [low, high] = [-Number.MAX_VALUE, Number.MAX_VALUE];
  const test = welchTest([low, low * 0.9], [high, high * 0.9]);
  expect(test?.difference).toBe(high);
  expect(test?.interval.every(Number.isFinite)).toBe(true);
  expect(test?.p).toBeLessThan(0.05);
  const { sd, interval } = describeSample([low, high]);
  expect([sd, ...(interval ?? [])].every(Number.isFinite)).toBe(true);
});
