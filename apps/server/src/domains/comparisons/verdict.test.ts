// What a metric says of two groups, and every case in which it says nothing.
import type { ComparedMetric, LeftOut, MetricReading } from "@spotter/contract";
import { expect, it } from "vitest";
import { type GroupValues, type RunValue, toRunGroup, valuesOf, verdictOf } from "./verdict.ts";

const A = [0.912, 0.905, 0.918, 0.909, 0.914];
const B = [0.921, 0.917, 0.926, 0.915, 0.922];

function group(
  id: string,
  values: readonly number[],
  firstRun: number,
  seeds?: (string | null)[],
  began = "its first step",
): GroupValues {
  const runs = values.map(
    (value, index): RunValue => ({
      runId: firstRun + index,
      seed: seeds === undefined ? String(index) : (seeds[index] ?? null),
      value,
      began,
    }),
  );
  return {
    group: { id, label: id, labelZh: id, runIds: runs.map(({ runId }) => runId) },
    values: runs,
    leftOut: [],
  };
}

it("pairs groups whose seeds match, in whatever order they come", () => {
  const shuffled = group("B", [...B].reverse(), 11, ["4", "3", "2", "1", "0"]);
  const verdict = verdictOf(group("A", A, 1), shuffled, "higher", []);
  expect(verdict).toMatchObject({
    outcome: "better",
    test: "paired",
    n_base: 5,
    n_other: 5,
    df: 4,
  });
  // scipy.stats.ttest_rel
  expect(verdict.p).toBeCloseTo(0.000929016369300126, 10);
  expect(verdict.effect).toMatchObject({ kind: "d_z", cohens_d: null });
  expect(verdict.seeds).toBeNull();
});

it("does not pair equal seeds that were drawn from since other beginnings", () => {
  const [a, b] = [group("A", A, 1, undefined, "14@420"), group("B", B, 11, undefined, "14@315")];
  expect(verdictOf(a, b, "higher", []).test).toBe("welch");
  const other = group("B", B, 11, undefined, "14@420");
  expect(verdictOf(a, other, "higher", []).test).toBe("paired");
});

it("says worse where less is better, and only different where nobody knows", () => {
  expect(verdictOf(group("A", A, 1), group("B", B, 11), "lower", []).outcome).toBe("worse");
  expect(verdictOf(group("A", A, 1), group("B", B, 11), null, []).outcome).toBe("different");
});

it("takes Welch's test where seeds do not match, are unknown, or come twice", () => {
  const seeds = [
    ["9", "8", "7", "6", "5"],
    [null, null, null, null, null],
    ["0", "0", "1", "2", "3"],
  ];
  for (const other of seeds) {
    const verdict = verdictOf(group("A", A, 1), group("B", B, 11, other), "higher", []);
    expect(verdict).toMatchObject({ test: "welch", outcome: "better" });
    // scipy.stats.ttest_ind(equal_var=False)
    expect(verdict.p).toBeCloseTo(0.019273708824911407, 10);
    expect(verdict.effect?.kind).toBe("hedges_g");
  }
});

it("counts a run that repeats another bit for bit once, and says so", () => {
  const runs = [
    { id: 1, seed: "0", began: "its first step" },
    { id: 2, seed: "0", began: "its first step" },
    { id: 3, seed: "0", began: "its first step" },
    { id: 4, seed: null, began: "its first step" },
    { id: 5, seed: null, began: "its first step" },
  ];
  const last = (value: number) => ({ value, step: 1, time: 1 });
  const readings = [0.9, 0.9, 0.8, 0.9, 0.9].map((value, index) => ({
    ...{ run_id: index + 1, last: last(value), best: value, best_step: 1 },
  }));
  const all = { id: "A", label: "A", labelZh: "A", runIds: runs.map(({ id }) => id) };
  const measured = { direction: "higher" as const, readings };
  const found = valuesOf(all, runs, measured as never, "last");
  expect(found.values.map(({ runId }) => runId)).toEqual([1, 3, 4, 5]);
  expect(found.leftOut).toEqual([{ run_id: 2, reason: "repeat" }]);
});

it("leaves runs without a partner out of the pairs, and says so", () => {
  const verdict = verdictOf(group("A", A.slice(0, 3), 1), group("B", B, 11), "higher", []);
  expect(verdict).toMatchObject({ test: "paired", n_base: 3, n_other: 3 });
  expect(verdict.left_out).toEqual([
    { run_id: 14, reason: "no-partner" },
    { run_id: 15, reason: "no-partner" },
  ]);
});

it("says how many more seeds would tell what is within noise", () => {
  const verdict = verdictOf(
    group("A", [1.52, 1.61, 1.49], 1, ["a", "b", "c"]),
    group("B", [1.58, 1.44, 1.71, 1.39, 1.66, 1.5], 11, ["d", "e", "f", "g", "h", "i"]),
    "lower",
    [],
  );
  expect(verdict).toMatchObject({ outcome: "within-noise", test: "welch", reason: null });
  expect(verdict.p).toBeCloseTo(0.9182650323516073, 10);
  // An effect of 0.07 takes more seeds than anybody has.
  expect(verdict.seeds).toEqual({
    ...{ assumes: "observed-effect", per_group: null, more_base: null, more_other: null },
  });
  const larger = verdictOf(
    group("A", [1.0, 1.4, 1.2], 1, ["a", "b", "c"]),
    group("B", [1.3, 1.7, 1.5, 1.1], 11, ["d", "e", "f", "g"]),
    "lower",
    [],
  );
  expect(larger.outcome).toBe("within-noise");
  const perGroup = larger.seeds?.per_group ?? 0;
  expect(perGroup).toBeGreaterThan(4);
  expect(larger.seeds).toMatchObject({ more_base: perGroup - 3, more_other: perGroup - 4 });
});

it("counts the seeds of the larger group that have no partner yet", () => {
  const [two, four] = [
    group("A", [1, 1.3], 1, ["a", "b"]),
    group("B", [1.2, 1.35, 1.4, 1.1], 11, ["a", "b", "c", "d"]),
  ];
  const { test, seeds } = verdictOf(two, four, "lower", []);
  expect(test).toBe("paired");
  const perGroup = seeds?.per_group ?? 0;
  expect(perGroup).toBeGreaterThan(4);
  expect(seeds).toMatchObject({ more_base: perGroup - 2, more_other: perGroup - 4 });
});

it("gives no verdict on one run a group, and none where nothing varies", () => {
  const alone = verdictOf(group("A", [0.9], 1), group("B", [0.92], 11), "higher", []);
  expect(alone).toMatchObject({
    outcome: "no-verdict",
    reason: "one-run",
    p: null,
    interval: null,
  });
  expect(alone.difference).toBeCloseTo(0.02, 12);
  expect(alone.seeds).toMatchObject({ assumes: "unknown", per_group: null });
  const same = verdictOf(group("A", [1, 1], 1), group("B", [1, 1], 11), "higher", []);
  expect(same).toMatchObject({ outcome: "no-verdict", reason: "identical", seeds: null });
  const shifted = verdictOf(group("A", [1, 2], 1), group("B", [2, 3], 11), "higher", []);
  expect(shifted).toMatchObject({ outcome: "no-verdict", reason: "no-spread", difference: 1 });
});

it("plans with the spread of the one group that has one", () => {
  const verdict = verdictOf(group("A", [1, 1.2, 1.1], 1), group("B", [1.4], 11), "lower", []);
  expect(verdict).toMatchObject({ outcome: "no-verdict", reason: "one-run" });
  // The difference is three standard deviations: four seeds a group (scipy.stats.nct).
  expect(verdict.seeds).toEqual({
    ...{ assumes: "spread-of-one-group", per_group: 4, more_base: 1, more_other: 3 },
  });
});

it("names the runs of these groups that go on", () => {
  const verdict = verdictOf(group("A", A, 1), group("B", B, 11), "higher", [3, 12, 99]);
  expect(verdict.unfinished).toEqual([3, 12]);
});

const reading = (run_id: number, value: number | "NaN", best: number | null): MetricReading => ({
  ...{ run_id, last: { step: 9, value }, best, num_points: 10, num_non_finite: 0 },
});

it("leaves out runs without the metric and runs that ended in NaN, whose best still counts", () => {
  const metric: Pick<ComparedMetric, "direction" | "readings"> = {
    direction: "lower",
    readings: [reading(1, 0.5, 0.4), reading(2, "NaN", 0.6), { ...reading(4, 1, 1), last: null }],
  };
  const members = { id: "A", label: "A", labelZh: "A", runIds: [1, 2, 3, 4] };
  const runs = members.runIds.map((id) => ({ id, seed: String(id), began: "its first step" }));
  const left: LeftOut[] = [
    { run_id: 2, reason: "non-finite" },
    { run_id: 3, reason: "missing" },
    { run_id: 4, reason: "missing" },
  ];
  const last = valuesOf(members, runs, metric, "last");
  expect(last.leftOut).toEqual(left);
  expect(toRunGroup(last)).toMatchObject({ n: 1, mean: 0.5, sd: null, interval: null });
  expect(toRunGroup(valuesOf(members, runs, metric, "best"))).toMatchObject({ n: 2, mean: 0.5 });
});

it("says that there is nothing to judge where a group has no value", () => {
  const empty = { ...group("B", [], 11), leftOut: [{ run_id: 11, reason: "missing" as const }] };
  const verdict = verdictOf(group("A", A, 1), empty, "higher", []);
  expect(verdict).toMatchObject({
    ...{ outcome: "no-verdict", reason: "no-values", difference: null, seeds: null },
    left_out: [{ run_id: 11, reason: "missing" }],
  });
  expect(toRunGroup(empty)).toMatchObject({ n: 0, mean: null });
});
