// What the chosen metric says of a group against the base group. Pure; every case in which it can say nothing has a name.
import {
  ALPHA,
  type ComparedMetric,
  type ComparedValue,
  decodeMetricValue,
  describeSample,
  type LeftOut,
  pairedTest,
  type RunGroup,
  seedsFor,
  type TestResult,
  type Verdict,
  welchTest,
} from "@spotter/contract";
import type { Group } from "./groups.ts";

/** A group's runs with what each of them says. */
export interface GroupValues {
  readonly group: Group;
  readonly values: readonly RunValue[];
  readonly leftOut: readonly LeftOut[];
}
export interface RunValue extends Pick<SeededRun, "seed" | "began"> {
  readonly runId: number;
  readonly value: number;
}

/** What of a run must be known to value it. */
export interface SeededRun {
  readonly id: number;
  readonly seed: string | null;
  /** From where the seed says what is drawn. */
  readonly began: string;
}

type Measured = Pick<ComparedMetric, "direction" | "readings"> | undefined;

/**
 * Runs without the metric, or whose value is no number, are named and left out: a mean with a NaN is none. So is a run
 * that repeats another bit for bit: as a second sample it would make the spread smaller than it is.
 */
export function valuesOf(
  group: Group,
  runs: readonly SeededRun[],
  metric: Measured,
  value: ComparedValue,
): GroupValues {
  const values: RunValue[] = [];
  const leftOut: LeftOut[] = [];
  for (const { id, seed, began } of runs.filter((run) => group.runIds.includes(run.id))) {
    const reading = metric?.readings.find(({ run_id }) => run_id === id);
    const last = reading?.last == null ? Number.NaN : decodeMetricValue(reading.last.value);
    const number = value === "best" ? (reading?.best ?? Number.NaN) : last;
    if (reading === undefined || reading.last === null)
      leftOut.push({ run_id: id, reason: "missing" });
    else if (!Number.isFinite(number)) leftOut.push({ run_id: id, reason: "non-finite" });
    else if (values.some((one) => seed !== null && one.seed === seed && one.value === number))
      leftOut.push({ run_id: id, reason: "repeat" });
    else values.push({ runId: id, seed, began, value: number });
  }
  return { group, values, leftOut };
}

export function toRunGroup({ group, values, leftOut }: GroupValues): RunGroup {
  const sample = values.length === 0 ? null : describeSample(values.map(({ value }) => value));
  return {
    id: group.id,
    label: group.label,
    label_zh: group.labelZh,
    run_ids: [...group.runIds],
    n: values.length,
    mean: sample?.mean ?? null,
    sd: sample?.sd ?? null,
    interval: toInterval(sample?.interval ?? null),
    left_out: [...leftOut],
  };
}

/** @param unfinished runs that go on */
export function verdictOf(
  base: GroupValues,
  other: GroupValues,
  direction: ComparedMetric["direction"],
  unfinished: readonly number[],
  /** By what the examples differ that the groups were measured on. */
  apart: readonly string[] = [],
): Verdict {
  const pairs = pairsOf(base.values, other.values);
  const [first, second] = pairs === null ? [base.values, other.values] : [pairs.base, pairs.other];
  const [a, b] = [numbersOf(first), numbersOf(second)];
  const test = pairs === null ? welchTest(a, b) : pairedTest(a, b);
  const isEmpty = a.length === 0 || b.length === 0;
  const difference = isEmpty ? null : describeSample(b).mean - describeSample(a).mean;
  const isSure = test !== null && test.p < ALPHA;
  const members = [...base.group.runIds, ...other.group.runIds];
  return {
    base: base.group.id,
    other: other.group.id,
    ...(apart.length > 0 && !isEmpty
      ? { outcome: "no-verdict" as const, reason: "apart" as const }
      : outcomeOf(test, direction, a, b)),
    apart: [...apart],
    test: test?.kind ?? null,
    n_base: a.length,
    n_other: b.length,
    difference: test?.difference ?? difference,
    interval: toInterval(test?.interval ?? null),
    ...{ t: test?.t ?? null, df: test?.df ?? null, p: test?.p ?? null },
    effect: test === null ? null : effectOf(test),
    seeds:
      isSure || isEmpty
        ? null
        : seedsNeeded(test, a, b, { base: base.values.length, other: other.values.length }),
    left_out: [...base.leftOut, ...other.leftOut, ...(pairs?.leftOut ?? [])],
    unfinished: unfinished.filter((id) => members.includes(id)),
  };
}

interface Pairs {
  readonly base: RunValue[];
  readonly other: RunValue[];
  readonly leftOut: LeftOut[];
}

/**
 * Pairs of the same seed drawn from since the same beginning, where every run of the smaller group has its partner in the larger; else null. A seed that a
 * group has twice pairs with nobody.
 */
function pairsOf(base: readonly RunValue[], other: readonly RunValue[]): Pairs | null {
  const [smaller, larger] = base.length <= other.length ? [base, other] : [other, base];
  if (smaller.length < 2 || hasTwice(base) || hasTwice(other)) return null;
  const partner = (run: RunValue, among: readonly RunValue[]) =>
    among.find(({ seed, began }) => seed !== null && seed === run.seed && began === run.began);
  if (!smaller.every((run) => partner(run, larger) !== undefined)) return null;
  const kept = base.filter((run) => partner(run, other) !== undefined);
  const partners = kept.map((run) => partner(run, other) as RunValue);
  const alone = larger.filter((run) => partner(run, smaller) === undefined);
  return {
    base: kept,
    other: partners,
    leftOut: alone.map(({ runId }) => ({ run_id: runId, reason: "no-partner" })),
  };
}

function hasTwice(values: readonly RunValue[]): boolean {
  return new Set(values.map(({ seed }) => seed)).size < values.length;
}

function outcomeOf(
  test: TestResult | null,
  direction: ComparedMetric["direction"],
  a: readonly number[],
  b: readonly number[],
): Pick<Verdict, "outcome" | "reason"> {
  if (test === null) return { outcome: "no-verdict", reason: reasonOf(a, b) };
  if (test.p >= ALPHA) return { outcome: "within-noise", reason: null };
  if (direction === null) return { outcome: "different", reason: null };
  const isBetter = test.difference > 0 === (direction === "higher");
  return { outcome: isBetter ? "better" : "worse", reason: null };
}

function reasonOf(a: readonly number[], b: readonly number[]): NonNullable<Verdict["reason"]> {
  if (a.length === 0 || b.length === 0) return "no-values";
  if (a.length < 2 || b.length < 2) return "one-run";
  return new Set([...a, ...b]).size === 1 ? "identical" : "no-spread";
}

function effectOf({ kind, effect, cohensD }: TestResult): NonNullable<Verdict["effect"]> {
  return { kind: kind === "paired" ? "d_z" : "hedges_g", value: effect, cohens_d: cohensD };
}

/**
 * Without a test, the spread of the group that has one stands for both. Null where more seeds would change nothing.
 * @param have runs with a value, those too that have no partner yet: the other group's next seeds are theirs
 */
function seedsNeeded(
  test: TestResult | null,
  a: readonly number[],
  b: readonly number[],
  have: { readonly base: number; readonly other: number },
): Verdict["seeds"] {
  if (test === null && a.length > 1 && b.length > 1) return null;
  const [spreadA, spreadB] = [describeSample(a), describeSample(b)];
  const sd = spreadA.sd ?? spreadB.sd;
  if (test === null && (sd === null || sd === 0))
    return { assumes: "unknown", per_group: null, more_base: null, more_other: null };
  const effect = test?.planned ?? (spreadB.mean - spreadA.mean) / (sd as number);
  const perGroup = seedsFor(test?.kind ?? "welch", effect);
  const more = (n: number) => (perGroup === null ? null : Math.max(0, perGroup - n));
  return {
    assumes: test === null ? "spread-of-one-group" : "observed-effect",
    per_group: perGroup,
    more_base: more(have.base),
    more_other: more(have.other),
  };
}

function numbersOf(values: readonly RunValue[]): number[] {
  return values.map(({ value }) => value);
}

function toInterval(interval: readonly [number, number] | null): RunGroup["interval"] {
  return interval === null ? null : { low: interval[0], high: interval[1] };
}
