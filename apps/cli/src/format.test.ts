// Numbers, times and sizes for people.
import { expect, it } from "vitest";
import { bytes, duration, metric, number, percent } from "./format.ts";

it("writes durations as a clock, and days in front", () => {
  expect([7, 760, 11_100, 184_200].map(duration)).toEqual(["0:07", "12:40", "3:05:00", "2d 03:10"]);
});

it("writes numbers with four digits, and non-finite ones by name", () => {
  expect([0.083412, 97.44444, 0, 1.23e-7, 2e9].map(number)).toEqual([
    "0.08341",
    "97.44",
    "0",
    "1.23e-7",
    "2.00e+9",
  ]);
  expect([number("NaN"), number(null), percent(0.974), percent("Infinity")]).toEqual([
    "NaN",
    "",
    "97.4 %",
    "Infinity",
  ]);
});

it("writes shares in per cent, and what only looks like one as a number", () => {
  expect(metric("test/accuracy", 1)).toBe("100.0 %");
  expect(metric("test/accuracy", 0.9963)).toBe("99.6 %");
  expect(metric("val/f1", "NaN")).toBe("NaN");
  expect(metric("test/accuracy", 99.6)).toBe("99.6");
  expect(metric("test/loss", 0.5)).toBe("0.5");
});

it("writes sizes in binary units", () => {
  expect([0, 999, 2048, 12_900_000].map(bytes)).toEqual(["0 B", "999 B", "2.0 KiB", "12.3 MiB"]);
});
