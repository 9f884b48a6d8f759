import { expect, test } from "vitest";
import { backward, chooseScale, decadeTicks, forward } from "./prepare-scale.ts";

test("all positive values get a logarithm", () => {
  expect(chooseScale("log", [[0.1, 10, null, undefined]])).toEqual({ kind: "log" });
});

test("a zero or a sign gets a symlog and is never dropped", () => {
  const values = [0, ...Array.from({ length: 200 }, (_, index) => 0.05 + index)];
  expect(chooseScale("log", [values])).toEqual({ kind: "symlog", threshold: 1 });
  expect(chooseScale("log", [[-3, 3]])).toEqual({ kind: "symlog", threshold: 1 });
});

test("nothing but zeros stays linear", () => {
  expect(chooseScale("log", [[0, 0]])).toEqual({ kind: "linear" });
  expect(chooseScale("auto", [[1, 2]])).toEqual({ kind: "linear" });
});

test("every scale finds its way back", () => {
  for (const scale of [
    { kind: "linear" } as const,
    { kind: "log" } as const,
    { kind: "symlog", threshold: 0.01 } as const,
  ])
    expect(backward(scale, forward(scale, 3.7))).toBeCloseTo(3.7, 10);
});

test("ticks are powers of ten, few enough to be read", () => {
  expect(decadeTicks({ kind: "log" }, 0.5, 2000, 5)).toEqual([1, 10, 100, 1000]);
  expect(decadeTicks({ kind: "log" }, 1e-9, 1e9, 4).length).toBeLessThanOrEqual(5);
});

test("symlog ticks stand on both sides of zero and do not touch it", () => {
  const ticks = decadeTicks({ kind: "symlog", threshold: 0.01 }, -10, 10, 5);
  expect(ticks).toContain(0);
  expect(ticks.some((tick) => tick < 0)).toBe(true);
  expect(ticks).toEqual([...ticks].sort((a, b) => a - b));
});

test("within one decade there are still two ticks", () => {
  expect(decadeTicks({ kind: "log" }, 0.21, 0.24, 5).length).toBeGreaterThanOrEqual(2);
});
