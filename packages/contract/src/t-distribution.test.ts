// The t distribution against scipy 1.17 (scipy.stats.t and scipy.stats.nct).
import { expect, it } from "vitest";
import {
  logGamma,
  noncentralTCdf,
  normalCdf,
  tCdf,
  tCritical,
  tTwoSided,
} from "./t-distribution.ts";

it.each([
  [1, 12.706204736174694],
  [2, 4.302652729749462],
  [4, 2.7764451051977934],
  [9, 2.262157162798205],
  [30, 2.0422724563012378],
])("knows what |t| exceeds in one case of twenty with %d degrees of freedom", (df, expected) => {
  expect(tCritical(0.05, df)).toBeCloseTo(expected, 9);
});

it("takes other levels and degrees of freedom that are not whole", () => {
  expect(tCritical(0.2, 3.7)).toBeCloseTo(1.5575658388615072, 9);
  expect(tCritical(0.01, 120.5)).toBeCloseTo(2.617245970983195, 9);
  expect(tCritical(0.8, 1000)).toBeCloseTo(0.25341451583949876, 9);
});

it.each([
  [0, 5, 0.5, 1],
  [1, 1, 0.75, 0.5],
  [2.5, 3, 0.9561466764959672, 0.08770664700806556],
  [-1.3, 7.5, 0.11606338940780439, 0.23212677881560878],
  [4.2, 2, 0.9738583665268504, 0.05228326694629917],
  [12, 4, 0.9998617857257485, 0.000276428548502973],
  [0.01, 100, 0.5039793948827858, 0.9920412102344285],
])("has the distribution of t = %d with %d degrees of freedom", (t, df, cdf, p) => {
  expect(tCdf(t, df)).toBeCloseTo(cdf, 10);
  expect(tTwoSided(t, df)).toBeCloseTo(p, 10);
});

it("keeps the digits of a very small p", () => {
  expect(tTwoSided(40, 9) / 1.8982998449339822e-11).toBeCloseTo(1, 8);
});

it.each([
  [2, 5, 1, 0.7780746626162148],
  [2.776445, 4, 2.5, 0.5227660368940572],
  [1.96, 200, 2.8, 0.20089203329402186],
  [-2, 5, 1, 0.005896462289842157],
  [2.1, 18, 3.1, 0.16552664643116757],
  [12.7062, 1, 1.5, 0.9044755886816286],
  [2, 10, -0.5, 0.9878615332076923],
  [2.2, 9, 7, 1.0111131868400418e-5],
  [-2.3, 9, 0.6, 0.005764121901103033],
])(
  "has the noncentral distribution of t = %d, %d degrees of freedom, shift %d",
  (t, df, shift, cdf) => {
    expect(noncentralTCdf(t, df, shift)).toBeCloseTo(cdf, 9);
  },
);

it("answers where the shift is so far off that the series has no floats left", () => {
  expect(noncentralTCdf(2, 10, 60)).toBeLessThan(1e-12);
  expect(noncentralTCdf(2, 10, -60)).toBe(1);
});

it("has the normal distribution and the gamma function beneath", () => {
  expect(normalCdf(0)).toBe(0.5);
  expect(normalCdf(1.959963984540054)).toBeCloseTo(0.975, 12);
  expect(normalCdf(-3.5)).toBeCloseTo(2.3262907903552504e-4, 12);
  expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 12);
  expect(logGamma(10)).toBeCloseTo(Math.log(362880), 10);
});
