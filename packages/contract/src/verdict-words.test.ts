// What a verdict says in words: every outcome, and every case in which there is none.
import { expect, it } from "vitest";
import type { Verdict } from "./comparisons.ts";
import { type VerdictWords, verdictWords } from "./verdict-words.ts";
import type { WordsLanguage } from "./words-language.ts";

const VERDICT: Verdict = {
  ...{ base: "A", other: "B", outcome: "better", reason: null, test: "paired" },
  ...{ n_base: 5, n_other: 5, difference: 0.0086, interval: { low: 0.0059, high: 0.0113 } },
  ...{ t: 8.777, df: 4, p: 0.00093, effect: { kind: "d_z", value: 3.925, cohens_d: null } },
  ...{ seeds: null, left_out: [], apart: [], unfinished: [] },
};
const NONE: Verdict = {
  ...VERDICT,
  ...{
    outcome: "no-verdict",
    test: null,
    interval: null,
    t: null,
    df: null,
    p: null,
    effect: null,
  },
};
const names = { base: "lr 0.1", other: "lr 0.3", metric: "val/accuracy" };

function wordsOf(change: Partial<Verdict>, language: WordsLanguage = "en"): VerdictWords {
  const write = (difference: number) => `${difference > 0 ? "+" : ""}${difference}`;
  return verdictWords({ ...VERDICT, ...change }, names, language, write);
}

it("says what was found, with its interval and p", () => {
  const words = wordsOf({});
  expect(words.headline).toBe(
    "lr 0.3 is better than lr 0.1: val/accuracy +0.0086 [+0.0059, +0.0113], p = 0.00093.",
  );
  expect(words.method).toBe("Paired t test over 5 seeds, t(4) = 8.78; effect size d_z = 3.92.");
  expect(words.seeds).toBeNull();
  expect(wordsOf({ p: 1e-9 }).headline).toContain("p < 0.0001");
  expect(wordsOf({ outcome: "worse" }).headline).toContain("is worse than");
  expect(wordsOf({ outcome: "different" }).headline).toContain("does not say which end is good");
  expect(wordsOf({}, "zh").headline).toMatch(/^lr 0\.3 优于 lr 0\.1：/);
});

it("says what is within noise, and how many more seeds would tell", () => {
  const seeds = {
    assumes: "observed-effect",
    per_group: 17,
    more_base: 12,
    more_other: 11,
  } as const;
  const effect = { kind: "hedges_g", value: 0.95, cohens_d: 1.05 } as const;
  const words = wordsOf({
    outcome: "within-noise",
    test: "welch",
    n_other: 6,
    p: 0.12,
    seeds,
    effect,
  });
  expect(words.headline).toMatch(/^Within noise: /);
  expect(words.method).toContain("Welch's t test of 5 against 6 runs");
  expect(words.method).toContain("Hedges' g = 0.95 (Cohen's d = 1.05)");
  expect(words.seeds).toContain(
    "17 seeds a group tell it four times out of five: 12 more for lr 0.1, 11 more for lr 0.3",
  );
  const never = wordsOf({ outcome: "within-noise", seeds: { ...seeds, per_group: null } });
  expect(never.seeds).toContain("more than 1,000 seeds a group");
});

it("says why one run a group tells nothing, and how many would", () => {
  const unknown = {
    assumes: "unknown",
    per_group: null,
    more_base: null,
    more_other: null,
  } as const;
  const words = wordsOf({ ...NONE, reason: "one-run", n_base: 1, n_other: 1, seeds: unknown });
  expect(words.headline).toContain("one run cannot tell whether that is chance");
  expect(words.method).toBeNull();
  expect(words.seeds).toBe(
    "A verdict needs at least 2 seeds a group. 6 seeds a group usually tell means apart that are two standard deviations from each other, 17 seeds means that are one.",
  );
});

it("says when nothing varies, when all is the same, and whose values are missing", () => {
  expect(wordsOf({ ...NONE, reason: "no-spread" }).headline).toContain("nothing varies");
  expect(wordsOf({ ...NONE, reason: "identical", difference: 0 }).headline).toContain("the same");
  expect(wordsOf({ ...NONE, reason: "no-values", difference: null, n_base: 0 }).headline).toBe(
    "No verdict: lr 0.1 has no finite value of val/accuracy.",
  );
});

it("names runs that were left out and runs that go on", () => {
  const left_out = [
    { run_id: 48, reason: "non-finite" },
    { run_id: 49, reason: "missing" },
    { run_id: 50, reason: "no-partner" },
  ] as const;
  expect(wordsOf({ left_out: [...left_out], unfinished: [47] }).cautions).toEqual([
    "Left out: run 48 (its value is NaN or infinite), run 49 (has no point of the metric), run 50 (no run of the same seed to pair with).",
    "Preliminary: run 47 has not ended.",
  ]);
});

it("speaks Chinese throughout", () => {
  for (const reason of ["no-values", "one-run", "identical", "no-spread"] as const) {
    const { headline } = wordsOf({ ...NONE, reason }, "zh");
    expect(headline).toMatch(/^无法判断：.*。$/);
    expect(headline).not.toMatch(/[a-z]{4,} [a-z]{4,}/);
  }
});
