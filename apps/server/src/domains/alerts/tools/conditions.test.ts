// When rules on points fire and recover.
import type { MetricCondition, NonFiniteCondition } from "@spotter/contract";
import { describe, expect, it } from "vitest";
import { makePointRule, type PointRule } from "./conditions.ts";

const above = (change: Partial<MetricCondition> = {}): MetricCondition => ({
  ...{ kind: "metric", metric: "train/loss", comparison: "above", value: 5 },
  ...{ points: 1, recover_value: null },
  ...change,
});
const nonFinite = (change: Partial<NonFiniteCondition> = {}): NonFiniteCondition => ({
  ...{ kind: "non-finite", metric: null, points: 1 },
  ...change,
});
const feed = (rule: PointRule, values: readonly number[], metric = "train/loss") =>
  values.map((value) => rule.take(metric, value, true));

describe("a threshold", () => {
  it("fires once, and again only after it has recovered", () => {
    const rule = makePointRule(above(), false);
    expect(feed(rule, [1, 6, 7, 8, 4, 6])).toEqual([
      null,
      "fires",
      null,
      null,
      "recovers",
      "fires",
    ]);
  });

  it.each(["constructor", "toString", "__proto__"])(
    "counts a metric that is named %s",
    (metric) => {
      const rule = makePointRule(above({ metric, points: 2 }), false, {});
      expect(feed(rule, [6, 6], metric)).toEqual([null, "fires"]);
      const counted = makePointRule(above({ metric, points: 2 }), false);
      feed(counted, [6], metric);
      const kept = JSON.parse(JSON.stringify(counted.tally()));
      const goesOn = makePointRule(above({ metric, points: 2 }), false, kept);
      expect(feed(goesOn, [6], metric)).toEqual(["fires"]);
    },
  );

  it.each([
    ["above", 5, false],
    ["above", 5.1, true],
    ["at-least", 5, true],
    ["below", 5, false],
    ["below", 4.9, true],
    ["at-most", 5, true],
  ] as const)("that is %s 5 takes %d: %s", (comparison, value, fires) => {
    const rule = makePointRule(above({ comparison }), false);
    expect(rule.take("train/loss", value, true)).toBe(fires ? "fires" : null);
  });

  it("asks for points in a row, both to fire and to recover", () => {
    const rule = makePointRule(above({ points: 3 }), false);
    expect(feed(rule, [6, 6, 4, 6, 6, 6])).toEqual([null, null, null, null, null, "fires"]);
    expect(feed(rule, [4, 4, 6, 4, 4, 4])).toEqual([null, null, null, null, null, "recovers"]);
  });

  it("that wavers around its value does not fire again before it is back below recover_value", () => {
    const rule = makePointRule(above({ recover_value: 3 }), false);
    expect(feed(rule, [6, 4.9, 5.1, 4.9, 5.1])).toEqual(["fires", null, null, null, null]);
    expect(feed(rule, [2.9, 5.1])).toEqual(["recovers", "fires"]);
  });

  it("counts NaN and infinities for neither side", () => {
    const rule = makePointRule(above({ points: 2 }), false);
    expect(feed(rule, [6, Number.NaN, Number.POSITIVE_INFINITY, 6])).toEqual([
      null,
      null,
      null,
      "fires",
    ]);
    expect(feed(rule, [1, Number.NaN, 1])).toEqual([null, null, "recovers"]);
  });

  it("fires with the first point after its cool-down while it still holds", () => {
    const rule = makePointRule(above({ points: 2 }), false);
    const take = (value: number, mayFire: boolean) => rule.take("train/loss", value, mayFire);
    expect([take(6, false), take(6, false), take(6, false)]).toEqual([null, null, null]);
    expect(take(6, true)).toBe("fires");
  });

  it("goes on counting from its tally", () => {
    const before = makePointRule(above({ points: 3 }), false);
    feed(before, [6, 6]);
    const after = makePointRule(above({ points: 3 }), false, before.tally());
    expect(feed(after, [6])).toEqual(["fires"]);
  });
});

describe("a rule on non-finite values", () => {
  it("fires for NaN and for infinities, not for the largest number", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(feed(makePointRule(nonFinite(), false), [value])).toEqual(["fires"]);
    expect(feed(makePointRule(nonFinite(), false), [Number.MAX_VALUE])).toEqual([null]);
  });

  it("fires once for all metrics together, and recovers when the last of them is finite", () => {
    const rule = makePointRule(nonFinite(), false);
    expect(feed(rule, [Number.NaN], "a")).toEqual(["fires"]);
    expect(feed(rule, [Number.NaN], "b")).toEqual([null]);
    expect(feed(rule, [1], "a")).toEqual([null]);
    expect(feed(rule, [1], "c")).toEqual([null]);
    expect(feed(rule, [1], "b")).toEqual(["recovers"]);
  });

  it("counts points in a row for each metric by itself", () => {
    const rule = makePointRule(nonFinite({ points: 2 }), false);
    expect(feed(rule, [Number.NaN], "a")).toEqual([null]);
    expect(feed(rule, [Number.NaN], "b")).toEqual([null]);
    expect(feed(rule, [1, Number.NaN, Number.NaN], "a")).toEqual([null, null, "fires"]);
    expect(feed(rule, [1, 1], "a")).toEqual([null, null]);
    expect(feed(rule, [1, 1], "b")).toEqual([null, "recovers"]);
  });

  it("remembers nothing of metrics that are well", () => {
    const rule = makePointRule(nonFinite(), false);
    for (let name = 0; name < 1000; name += 1) feed(rule, [1, 2], `m/${name}`);
    expect(rule.tally()).toEqual({});
  });

  it("goes on over a restart with what was unwell", () => {
    const before = makePointRule(nonFinite(), false);
    feed(before, [Number.NaN], "a");
    const after = makePointRule(nonFinite(), before.isOpen, before.tally());
    expect(feed(after, [Number.NaN, 1], "a")).toEqual([null, "recovers"]);
  });
});
