// What seeds can tell: means with their 95 % intervals, the t tests of two groups, effect sizes, and the seeds a test
// would need. Pure: the server computes a comparison with it, the page the bands of a chart. It knows no runs.
import { logGamma, noncentralTCdf, tCritical, tTwoSided } from "./t-distribution.ts";

/** A difference that chance alone brings in fewer than one of twenty comparisons counts as one. */
export const ALPHA = 0.05;
/** How surely a planned comparison should find an effect that is there. */
export const POWER = 0.8;
/** Beyond so many seeds a group nobody waits for the answer. */
export const MAX_SEEDS = 1000;
/** A spread this small beside the values is what floats leave over from equal ones. */
const EQUAL = 1e-12;

export interface Sample {
  readonly n: number;
  readonly mean: number;
  /** Standard deviation over n − 1; null with one value. */
  readonly sd: number | null;
  /** The 95 % t interval of the mean; null with one value. */
  readonly interval: readonly [number, number] | null;
}

export interface TestResult {
  readonly kind: "paired" | "welch";
  /** Of the second group's mean over the first's. */
  readonly difference: number;
  readonly interval: readonly [number, number];
  readonly t: number;
  readonly df: number;
  /** Two-sided. */
  readonly p: number;
  /** Paired: d_z, the mean difference in standard deviations of the differences. Welch: Hedges' g. */
  readonly effect: number;
  /** Cohen's d of two independent groups; null where they are paired. */
  readonly cohensD: number | null;
  /** The effect that planning goes by: d_z, or the difference over the root of the two variances' mean. */
  readonly planned: number;
}

/** @throws RangeError when empty */
export function describeSample(values: readonly number[]): Sample {
  const n = values.length;
  if (n === 0) throw new RangeError("An empty sample has no mean.");
  const unit = unitOf(values);
  const inUnits = values.map((value) => value / unit);
  const mean = meanOf(inUnits);
  if (n === 1) return { n, mean: times(mean, unit), sd: null, interval: null };
  const sd = Math.sqrt(varianceOf(inUnits));
  const half = (tCritical(ALPHA, n - 1) * sd) / Math.sqrt(n);
  return {
    n,
    mean: times(mean, unit),
    sd: times(sd, unit),
    interval: [times(mean - half, unit), times(mean + half, unit)],
  };
}

/**
 * Whether the second group differs from the first, values paired by their place (the same seed).
 * @returns null where there is no test: fewer than two pairs, or every pair differs by the same
 */
export function pairedTest(first: readonly number[], second: readonly number[]): TestResult | null {
  const unit = unitOf([...first, ...second]);
  const differences = second.map((value, index) => value / unit - (first[index] as number) / unit);
  const n = differences.length;
  const difference = n === 0 ? 0 : meanOf(differences);
  const sd = n < 2 ? 0 : Math.sqrt(varianceOf(differences));
  if (isNothing(sd, [...first, ...second], unit)) return null;
  const error = sd / Math.sqrt(n);
  const effect = difference / sd;
  return {
    ...{ kind: "paired", ...testOf(difference, error, n - 1, unit) },
    ...{ effect, cohensD: null, planned: effect },
  };
}

/**
 * Whether two independent groups differ; their spreads may (Welch's test).
 * @returns null where there is no test: a group of fewer than two values, or no spread in either
 */
export function welchTest(first: readonly number[], second: readonly number[]): TestResult | null {
  const [n1, n2] = [first.length, second.length];
  if (n1 < 2 || n2 < 2) return null;
  const unit = unitOf([...first, ...second]);
  const [a, b] = [first, second].map((values) => values.map((value) => value / unit)) as [
    number[],
    number[],
  ];
  const [v1, v2] = [varianceOf(a), varianceOf(b)];
  const [e1, e2] = [v1 / n1, v2 / n2];
  if (isNothing(Math.sqrt(v1 + v2), [...first, ...second], unit)) return null;
  const difference = meanOf(b) - meanOf(a);
  const df = (e1 + e2) ** 2 / (e1 ** 2 / (n1 - 1) + e2 ** 2 / (n2 - 1));
  const pooled = Math.sqrt(((n1 - 1) * v1 + (n2 - 1) * v2) / (n1 + n2 - 2));
  const cohensD = difference / pooled;
  return {
    ...{ kind: "welch", ...testOf(difference, Math.sqrt(e1 + e2), df, unit) },
    ...{ effect: cohensD * smallSampleFactor(n1 + n2 - 2), cohensD },
    planned: difference / Math.sqrt((v1 + v2) / 2),
  };
}

/**
 * The chance that a two-sided test at 0.05 finds an effect of this size with n seeds a group (paired: n pairs).
 * By the noncentral t distribution: J. Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed., ch. 2.
 */
export function powerOf(kind: TestResult["kind"], effect: number, n: number): number {
  const df = kind === "paired" ? n - 1 : 2 * n - 2;
  const shift = Math.abs(effect) * Math.sqrt(kind === "paired" ? n : n / 2);
  const critical = tCritical(ALPHA, df);
  return 1 - noncentralTCdf(critical, df, shift) + noncentralTCdf(-critical, df, shift);
}

/**
 * The fewest seeds a group with which a test finds an effect of this size four times out of five.
 * @returns null where that takes more than `MAX_SEEDS`
 * @example seedsFor("welch", 1) // 17
 */
export function seedsFor(kind: TestResult["kind"], effect: number): number | null {
  if (!(Math.abs(effect) > 0) || powerOf(kind, effect, MAX_SEEDS) < POWER) return null;
  let [tooFew, enough] = [1, MAX_SEEDS];
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (powerOf(kind, effect, middle) < POWER) tooFew = middle;
    else enough = middle;
  }
  return enough;
}

function testOf(
  difference: number,
  error: number,
  df: number,
  unit: number,
): Pick<TestResult, "difference" | "interval" | "t" | "df" | "p"> {
  const half = tCritical(ALPHA, df) * error;
  const t = difference / error;
  const interval = [times(difference - half, unit), times(difference + half, unit)] as const;
  return { difference: times(difference, unit), interval, t, df, p: tTwoSided(t, df) };
}

/** Hedges' exact correction of Cohen's d for few values. */
function smallSampleFactor(df: number): number {
  return Math.exp(logGamma(df / 2) - 0.5 * Math.log(df / 2) - logGamma((df - 1) / 2));
}

function isNothing(sd: number, values: readonly number[], unit: number): boolean {
  return sd <= EQUAL * (largestOf(values) / unit);
}

/**
 * What values are measured in, so that no square of theirs leaves the range of floats: losses of a run that diverges
 * do. A power of two, with which nothing is rounded.
 */
function unitOf(values: readonly number[]): number {
  const largest = largestOf(values);
  // The logarithm of the largest floats is rounded up to 1024.
  return largest === 0 ? 1 : 2 ** Math.min(1023, Math.floor(Math.log2(largest)));
}

/** Back from units; what would be more than the largest float is the largest float. */
function times(value: number, unit: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value * unit));
}

function largestOf(values: readonly number[]): number {
  return Math.max(...values.map(Math.abs), 0);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}
