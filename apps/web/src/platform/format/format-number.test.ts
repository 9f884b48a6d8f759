// How numbers are written.
import { expect, it } from "vitest";
import {
  formatAxisCount,
  formatBytes,
  formatCount,
  formatDifference,
  formatLearningRate,
  formatMetric,
  formatNamedDifference,
  formatNamedMetric,
  formatPlusMinus,
  formatPoints,
  formatRate,
  formatShare,
  isNonFinite,
} from "./format-number.ts";

it("writes metrics with four significant digits between 1e-3 and 9,999", () => {
  expect(formatMetric(0.83412)).toBe("0.8341");
  expect(formatMetric(41)).toBe("41");
  expect(formatMetric(1234.56)).toBe("1,235");
  expect(formatMetric(9999)).toBe("9,999");
  expect(formatMetric(0.001)).toBe("0.001000");
  expect(formatMetric(-2.5)).toBe("−2.500");
});

it("writes smaller and larger metrics as powers of ten", () => {
  expect(formatMetric(3.2e-5)).toBe("3.2e-5");
  expect(formatMetric(12_400)).toBe("1.2e4");
  expect(formatMetric(-9.99e-4)).toBe("−1.0e-3");
});

it("never turns NaN or a missing value into a number", () => {
  expect(formatMetric("NaN")).toBe("NaN");
  expect(formatMetric(Number.NaN)).toBe("NaN");
  expect(formatMetric("Infinity")).toBe("∞");
  expect(formatMetric("-Infinity")).toBe("−∞");
  expect(formatMetric(null)).toBe("–");
  expect(formatShare("NaN")).toBe("NaN");
  expect(isNonFinite("NaN")).toBe(true);
  expect(isNonFinite(0)).toBe(false);
  expect(isNonFinite(null)).toBe(false);
});

it("writes learning rates always alike", () => {
  expect(formatLearningRate(0.00032)).toBe("3.2e-4");
  expect(formatLearningRate(0.1)).toBe("1.0e-1");
  expect(formatLearningRate(0)).toBe("0");
});

it("writes shares, differences, spreads, steps, sizes and rates with their units", () => {
  expect(formatShare(0.914)).toBe("91.4 %");
  expect(formatPoints(0.008, "en")).toBe("+0.8 pt");
  expect(formatPoints(-0.008, "en")).toBe("−0.8 pt");
  expect(formatPoints(-0.008, "zh")).toBe("−0.8 个百分点");
  expect(formatDifference(0.5)).toBe("+0.5000");
  expect(formatPlusMinus(0.912, 0.004)).toBe("0.912 ± 0.004");
  expect(formatCount(12_400)).toBe("12,400");
  expect(formatAxisCount(12_000)).toBe("12k");
  expect(formatAxisCount(1_250_000)).toBe("1.25M");
  expect(formatBytes(1_610_612_736)).toBe("1.50 GiB");
  expect(formatBytes(512)).toBe("512 B");
  expect(formatRate(8.213, "en")).toBe("8.21 it/s");
  expect(formatRate(8.213, "zh")).toBe("8.21 步/秒");
});

it("reads from a metric's name how its differences are written", () => {
  expect(formatNamedDifference("val/accuracy", 0.008, "en")).toBe("+0.8 pt");
  expect(formatNamedDifference("train/loss", -0.25, "zh")).toBe("−0.2500");
});

it("reads from a metric's name how it is written", () => {
  expect(formatNamedMetric("val/accuracy", 0.93)).toBe("93.0 %");
  expect(formatNamedMetric("val/accuracy", 93)).toBe("93");
  expect(formatNamedMetric("train/learning_rate", 0.03)).toBe("3.0e-2");
  expect(formatNamedMetric("train/loss", 0.8341)).toBe("0.8341");
});
