// How times and names are written.
import { expect, it } from "vitest";
import { formatAgo, formatDuration, formatMoment, formatRemaining } from "./format-time.ts";

it("writes durations in their two largest units", () => {
  expect(formatDuration(3.21)).toBe("3.2 s");
  expect(formatDuration(42)).toBe("42 s");
  expect(formatDuration(303)).toBe("5 min 03 s");
  expect(formatDuration(7440)).toBe("2 h 04 min");
  expect(formatDuration(200_000)).toBe("2 d 08 h");
  expect(formatDuration(null)).toBe("–");
});

it("never says sixty of a unit", () => {
  expect(formatDuration(59.7)).toBe("1 min 00 s");
  expect(formatDuration(3599.6)).toBe("1 h 00 min");
});

it("writes what is left without false precision", () => {
  expect(formatRemaining(0.2)).toBe("1 s");
  expect(formatRemaining(310)).toBe("5 min");
  expect(formatRemaining(Number.NaN)).toBe("–");
});

it("says how long ago in both languages", () => {
  expect(formatAgo(1000, 1180, "en")).toBe("3 min. ago");
  expect(formatAgo(1000, 1180, "zh")).toBe("3 分钟前");
  expect(formatAgo(null, 1180, "en")).toBe("–");
  expect(formatMoment(null, "en")).toBe("–");
});
