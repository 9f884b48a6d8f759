import { expect, test } from "vitest";
import {
  formatDecade,
  formatDecades,
  formatPlace,
  formatXTicks,
  formatYTick,
  formatYTicks,
} from "./prepare-axis.ts";

test("steps are short, elapsed time is in words, clock time follows the language", () => {
  expect(formatXTicks("step", [0, 12_000], 1000, "en")).toEqual(["0", "12k"]);
  expect(formatXTicks("relative", [0, 300, 5400], 300, "en")).toEqual(["0", "5 min", "1 h 30 min"]);
  expect(formatXTicks("relative", [2.5], 0.5, "en")).toEqual(["2.5 s"]);
  expect(formatXTicks("relative", [0, 300, 5400], 300, "zh")).toEqual([
    "0",
    "5 分钟",
    "1 小时 30 分",
  ]);
  expect(formatXTicks("time", [0], 60, "en")[0]).toMatch(/^\d\d:\d\d$/);
});

test("neighbouring ticks differ in what is written", () => {
  expect([0.01, 0.02].map((tick) => formatYTick(tick, 0.01))).toEqual(["0.01", "0.02"]);
  expect([1.1e-5, 1.2e-5].map((tick) => formatYTick(tick, 1e-6))).toEqual(["1.1e-5", "1.2e-5"]);
  expect([0.25, 0.5].map((tick) => formatYTick(tick, 0.25))).toEqual(["0.25", "0.50"]);
  expect(formatYTicks("norm", [0, 5e-4, 0.001], 5e-4)).toEqual(["0.0000", "0.0005", "0.0010"]);
  expect(formatYTick(-2, 1)).toBe("−2");
  expect(formatYTick(0, 1)).toBe("0");
});

test("shares are in per cent on the axis as in the title", () => {
  expect(formatYTicks("val/accuracy", [0.9, 0.95], 0.05)).toEqual(["90 %", "95 %"]);
  expect(formatYTicks("val/loss", [0.9, 0.95], 0.05)).toEqual(["0.90", "0.95"]);
  expect(formatDecades("val/accuracy", [0.1])).toEqual(["10 %"]);
});

test("decades are numbers where they are short and powers where not", () => {
  expect([0, 0.01, 1, 100, 1e-7, 1e6].map(formatDecade)).toEqual([
    "0",
    "0.01",
    "1",
    "100",
    "1e-7",
    "1e6",
  ]);
});

test("a place is written in full", () => {
  expect(formatPlace("step", 12_400, "en")).toBe("12,400");
  expect(formatPlace("relative", 3661, "en")).toBe("1 h 01 min");
});
