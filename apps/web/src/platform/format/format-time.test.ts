// How times and names are written.
import { expect, it } from "vitest";
import {
  formatAgo,
  formatDuration,
  formatLatency,
  formatMoment,
  formatRemaining,
} from "./format-time.ts";

it("writes durations in their two largest units", () => {
  expect(formatDuration(3.21, "en")).toBe("3.2 s");
  expect(formatDuration(42, "en")).toBe("42 s");
  expect(formatDuration(303, "en")).toBe("5 min 03 s");
  expect(formatDuration(7440, "en")).toBe("2 h 04 min");
  expect(formatDuration(200_000, "en")).toBe("2 d 08 h");
  expect(formatDuration(null, "en")).toBe("–");
});

it("never says sixty of a unit", () => {
  expect(formatDuration(59.7, "en")).toBe("1 min 00 s");
  expect(formatDuration(3599.6, "en")).toBe("1 h 00 min");
});

it("writes what is left without false precision", () => {
  expect(formatRemaining(0.2, "en")).toBe("1 s");
  expect(formatRemaining(310, "en")).toBe("5 min");
  expect(formatRemaining(Number.NaN, "en")).toBe("–");
});

it("writes something short with three digits", () => {
  expect(formatLatency(0.83, "en")).toBe("0.83 ms");
  expect(formatLatency(1234, "zh")).toBe("1.23 秒");
  expect(formatLatency(125_000, "en")).toBe("2 min 05 s");
  expect(formatLatency(null, "en")).toBe("–");
});

it("names the units in Chinese", () => {
  const durations = [3.21, 303, 7440, 200_000].map((seconds) => formatDuration(seconds, "zh"));
  expect(durations).toEqual(["3.2 秒", "5 分 03 秒", "2 小时 04 分", "2 天 08 小时"]);
  expect([20, 310, 7440].map((seconds) => formatRemaining(seconds, "zh-CN"))).toEqual([
    "20 秒",
    "5 分钟",
    "2 小时 04 分",
  ]);
  expect(formatRemaining(3590, "en")).toBe("1 h 00 min");
});

it("says how long ago in both languages", () => {
  expect(formatAgo(1000, 1180, "en")).toBe("3 min. ago");
  expect(formatAgo(1000, 1180, "zh")).toBe("3 分钟前");
  expect(formatAgo(null, 1180, "en")).toBe("–");
  expect(formatMoment(null, "en")).toBe("–");
});
