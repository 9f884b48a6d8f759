// Student's t distribution, central and noncentral: what intervals, p values and the power of a comparison come from.
// Pure numerics to about ten digits; the tests hold them against scipy.

const MAX_ITERATIONS = 2000;
const TINY = 1e-300;
const CLOSE = 1e-15;

/**
 * P(T ≤ t) with `df` degrees of freedom, which need not be whole.
 * @example tCdf(2.5, 3) // 0.9561…
 */
export function tCdf(t: number, df: number): number {
  const tail = tTwoSided(t, df) / 2;
  return t > 0 ? 1 - tail : tail;
}

/** P(|T| ≥ |t|): the two-sided p value. Computed from the tail itself, so that small ones keep their digits. */
export function tTwoSided(t: number, df: number): number {
  return incompleteBeta(df / (df + t * t), df / 2, 0.5);
}

/**
 * The t that |T| exceeds with the probability `alpha`.
 * @example tCritical(0.05, 4) // 2.776…
 */
export function tCritical(alpha: number, df: number): number {
  let low = 0;
  let high = 1;
  while (tTwoSided(high, df) > alpha) high *= 2;
  for (let index = 0; index < 200 && high - low > CLOSE * high; index += 1) {
    const middle = (low + high) / 2;
    if (tTwoSided(middle, df) > alpha) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * P(T ≤ t) of the noncentral t distribution, by algorithm AS 243 (R. V. Lenth, Applied Statistics 38, 1989).
 * @param shift the noncentrality; beyond ±37 its first term is no float any more, and the normal approximation answers
 */
export function noncentralTCdf(t: number, df: number, shift: number): number {
  if (t < 0) return 1 - noncentralTCdf(-t, df, -shift);
  if (Math.abs(shift) > 37) return normalCdf(farScore(t, df, shift));
  const x = (t * t) / (t * t + df);
  return Math.min(1, normalCdf(-shift) + (x > 0 ? seriesOf(x, df, shift) : 0));
}

/** Abramowitz and Stegun 26.7.10. */
function farScore(t: number, df: number, shift: number): number {
  return (t * (1 - 1 / (4 * df)) - shift) / Math.sqrt(1 + (t * t) / (2 * df));
}

/** The sum of AS 243, in its own letters: p and q are Poisson weights, odd and even are incomplete beta ratios. */
function seriesOf(x: number, df: number, shift: number): number {
  const lambda = shift * shift;
  const b = df / 2;
  let a = 0.5;
  let p = 0.5 * Math.exp(-lambda / 2);
  let q = Math.sqrt(2 / Math.PI) * p * shift;
  let rest = 0.5 - p;
  const power = (1 - x) ** b;
  let odd = incompleteBeta(x, a, b);
  let oddStep = 2 * power * Math.exp(a * Math.log(x) - logBeta(a, b));
  let even = 1 - power;
  let evenStep = b * x * power;
  let sum = p * odd + q * even;
  for (let n = 1; n < MAX_ITERATIONS; n += 1) {
    a += 1;
    odd -= oddStep;
    even -= evenStep;
    oddStep *= (x * (a + b - 1)) / a;
    evenStep *= (x * (a + b - 0.5)) / (a + 0.5);
    p *= lambda / (2 * n);
    q *= lambda / (2 * n + 1);
    rest -= p;
    sum += p * odd + q * even;
    if (2 * rest * (odd - oddStep) < 1e-14 && n > lambda / 2) break;
  }
  return sum;
}

/** P(Z ≤ z) of the standard normal distribution. */
export function normalCdf(z: number): number {
  const x = (z * z) / 2;
  const tail = x < 1.5 ? 1 - lowerGammaHalf(x) : upperGammaHalf(x);
  return z > 0 ? 1 - tail / 2 : tail / 2;
}

/** The regularised lower incomplete gamma function of 1/2, by its series. */
function lowerGammaHalf(x: number): number {
  if (x === 0) return 0;
  let term = 2;
  let sum = term;
  for (let n = 1; n < MAX_ITERATIONS && term > sum * CLOSE; n += 1) {
    term *= x / (0.5 + n);
    sum += term;
  }
  return (sum * Math.exp(-x) * Math.sqrt(x)) / Math.sqrt(Math.PI);
}

/** The regularised upper incomplete gamma function of 1/2, by Lentz's continued fraction. */
function upperGammaHalf(x: number): number {
  let b = x + 0.5;
  let c = 1 / TINY;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < MAX_ITERATIONS; n += 1) {
    const a = -n * (n - 0.5);
    b += 2;
    d = 1 / nonZero(a * d + b);
    c = nonZero(b + a / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < CLOSE) break;
  }
  return (fraction * Math.exp(-x) * Math.sqrt(x)) / Math.sqrt(Math.PI);
}

/** The regularised incomplete beta function I_x(a, b), by Lentz's continued fraction. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b));
  return x < (a + 1) / (a + b + 2)
    ? (front * betaFraction(x, a, b)) / a
    : 1 - (front * betaFraction(1 - x, b, a)) / b;
}

function betaFraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < MAX_ITERATIONS; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonZero(1 + even * d);
    c = nonZero(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonZero(1 + odd * d);
    c = nonZero(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < CLOSE) break;
  }
  return fraction;
}

function nonZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
  -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
  1.5056327351493116e-7,
];

/** The logarithm of the gamma function above 0, by Lanczos' approximation (g = 7, nine terms). */
export function logGamma(value: number): number {
  const x = value - 1;
  const base = x + 7.5;
  const sum = LANCZOS.reduce(
    (total, term, index) => total + (index === 0 ? term : term / (x + index)),
  );
  return 0.5 * Math.log(2 * Math.PI) + (x + 0.5) * Math.log(base) - base + Math.log(sum);
}
