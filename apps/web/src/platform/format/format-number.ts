// Writes numbers as the whole interface shows them: 4 significant digits, tabular, units, NaN as NaN.
import { decodeMetricValue, isShareMetric, type MetricValue } from "@spotter/contract";

/** What stands where there is no value. */
export const MISSING = "–";
const MINUS = "−";
/** Made once: making one for each number is what `toLocaleString` does, and charts write hundreds a second. */
const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/**
 * A metric's value: 4 significant digits from 1e-3 to 9,999, else like `3.2e-5`.
 * @example formatMetric(0.83412) // "0.8341"
 */
export function formatMetric(value: MetricValue | null | undefined): string {
  if (value === null || value === undefined) return MISSING;
  const number = decodeMetricValue(value);
  const special = nonFinite(number);
  if (special !== null) return special;
  if (number === 0) return "0";
  const size = Math.abs(number);
  if (size < 1e-3 || size >= 9_999.5) return formatExponent(number);
  if (Number.isInteger(number)) return formatCount(number);
  return size >= 999.95 ? formatCount(number) : withMinus(number.toPrecision(4));
}

/**
 * Learning rates, always alike so that they can be compared at a glance.
 * @example formatLearningRate(0.0003) // "3.0e-4"
 */
export function formatLearningRate(value: MetricValue | null | undefined): string {
  if (value === null || value === undefined) return MISSING;
  const number = decodeMetricValue(value);
  return nonFinite(number) ?? (number === 0 ? "0" : formatExponent(number));
}

/** A share of 0–1 in per cent. @example formatShare(0.914) // "91.4 %" */
export function formatShare(value: MetricValue | null | undefined): string {
  if (value === null || value === undefined) return MISSING;
  const number = decodeMetricValue(value);
  return nonFinite(number) ?? `${withMinus((number * 100).toFixed(1))} %`;
}

/** A difference of two shares, in percentage points. @example formatPoints(0.008, "en") // "+0.8 pt" */
export function formatPoints(value: number | null | undefined, locale: string): string {
  if (value === null || value === undefined) return MISSING;
  const special = nonFinite(value);
  if (special !== null) return special;
  const unit = locale.startsWith("zh") ? "个百分点" : "pt";
  return `${withSign((value * 100).toFixed(1))} ${unit}`;
}

/** Any difference, with its sign. @example formatDifference(-0.02) // "−0.02000" */
export function formatDifference(value: number | null | undefined): string {
  const text = formatMetric(value);
  return value !== null && value !== undefined && value > 0 ? `+${text}` : text;
}

/** @example formatPlusMinus(0.912, 0.004) // "0.912 ± 0.004" */
export function formatPlusMinus(value: number, spread: number): string {
  const special = nonFinite(value);
  if (special !== null) return special;
  const digits = Number.isFinite(spread) && spread > 0 ? Math.max(0, decimalsOf(spread)) : 3;
  return `${withMinus(value.toFixed(digits))} ± ${Number.isFinite(spread) ? spread.toFixed(digits) : MISSING}`;
}

/** Whole numbers: steps, points, rows. @example formatCount(12400) // "12,400" */
export function formatCount(value: number | null | undefined): string {
  if (value === null || value === undefined) return MISSING;
  return nonFinite(value) ?? withMinus(WHOLE.format(value));
}

/** Short form for axes. @example formatAxisCount(12400) // "12.4k" */
export function formatAxisCount(value: number): string {
  const special = nonFinite(value);
  if (special !== null) return special;
  const size = Math.abs(value);
  const [divisor, unit] =
    size >= 1e9 ? [1e9, "G"] : size >= 1e6 ? [1e6, "M"] : size >= 1e3 ? [1e3, "k"] : [1, ""];
  const scaled = value / divisor;
  return withMinus(`${Number(scaled.toFixed(Math.abs(scaled) >= 100 ? 0 : 2))}${unit}`);
}

/** Sizes in binary units. @example formatBytes(1_610_612_736) // "1.50 GiB" */
export function formatBytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let scaled = value;
  let unit = 0;
  while (scaled >= 1024 && unit < units.length - 1) {
    scaled /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? scaled.toFixed(0) : scaled.toPrecision(scaled >= 1000 ? 4 : 3)} ${units[unit]}`;
}

/** Memory and disk readings that come in GiB. @example formatGib(3.2) // "3.20 GiB" */
export function formatGib(value: number | null | undefined): string {
  return value === null || value === undefined ? MISSING : formatBytes(value * 1024 ** 3);
}

/** How fast. @example formatRate(8.21, "en") // "8.21 it/s" */
export function formatRate(stepsPerSecond: number | null | undefined, locale: string): string {
  if (stepsPerSecond === null || stepsPerSecond === undefined) return MISSING;
  const special = nonFinite(stepsPerSecond);
  if (special !== null) return special;
  const unit = locale.startsWith("zh") ? "步/秒" : "it/s";
  return `${stepsPerSecond >= 100 ? formatCount(stepsPerSecond) : stepsPerSecond.toPrecision(3)} ${unit}`;
}

/** Writes a metric by what its name says it is: shares in per cent, learning rates as powers of ten. */
export function formatNamedMetric(name: string, value: MetricValue | null | undefined): string {
  const last = (name.split("/").at(-1) ?? name).toLowerCase();
  if (/^(lr|learning_rate)/.test(last)) return formatLearningRate(value);
  if (isShareMetric(name) && isShare(value)) return formatShare(value);
  return formatMetric(value);
}

/** A difference of a metric, in points where the metric is a share. @example formatNamedDifference("test/accuracy", 0.008, "en") // "+0.8 pt" */
export function formatNamedDifference(name: string, difference: number, locale: string): string {
  return isShareMetric(name) ? formatPoints(difference, locale) : formatDifference(difference);
}

/** Whether the value must be drawn in the colour of failure. */
export function isNonFinite(value: MetricValue | null | undefined): boolean {
  if (value === null || value === undefined) return false;
  return !Number.isFinite(decodeMetricValue(value));
}

function isShare(value: MetricValue | null | undefined): boolean {
  if (value === null || value === undefined) return false;
  const number = decodeMetricValue(value);
  return !Number.isFinite(number) || (number >= 0 && number <= 1);
}

function nonFinite(value: number): string | null {
  if (Number.isNaN(value)) return "NaN";
  if (value === Number.POSITIVE_INFINITY) return "∞";
  if (value === Number.NEGATIVE_INFINITY) return `${MINUS}∞`;
  return null;
}

function formatExponent(value: number): string {
  const [mantissa, exponent] = value.toExponential(1).split("e");
  return withMinus(`${mantissa}e${Number(exponent)}`);
}

/** The typographic minus is as wide as a digit, so that columns line up; exponents keep the plain one. */
function withMinus(text: string): string {
  return text.startsWith("-") ? MINUS + text.slice(1) : text;
}

function withSign(text: string): string {
  return text.startsWith("-") ? MINUS + text.slice(1) : `+${text}`;
}

/** Decimals that show one significant digit of the spread. */
function decimalsOf(spread: number): number {
  return Math.max(0, -Math.floor(Math.log10(spread)));
}
