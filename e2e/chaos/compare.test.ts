// The verdict itself: each kind of fault that chaos could bring about is found.
import type { Attempt } from "@spotter/contract";
import { describe, expect, it } from "vitest";
import { pointLine } from "../harness/truth.ts";
import { attemptsAtOnce, comparedCurves, comparedToTruth, curvesOf } from "./compare.ts";

const NAME = "train/loss";
/** Two attempts: the first logged steps 1 to 6, the second went on at step 5. */
const FIRST = [1, 2, 3, 4, 5, 6].map((step) => pointLine(1, step, 100 + step, step / 10));
const SECOND = [5, 6, 7].map((step) => pointLine(2, step, 200 + step, step / 10));
const attempt = (number: number, firstStep: number) =>
  ({ attempt: number, first_step: firstStep }) as Attempt;
const run = { id: 1, attempts: [attempt(1, 0), attempt(2, 5)] };
const truths = new Map([
  ["1/1", new Map([[NAME, FIRST]])],
  ["1/2", new Map([[NAME, SECOND]])],
]);
const judge = (lines: readonly string[]) => comparedToTruth(new Map([[NAME, lines]]), truths, run);

describe("what is stored beside what was logged", () => {
  it("is well with all of it, and without what was lost beyond the next attempt's checkpoint", () => {
    expect(judge([...FIRST, ...SECOND])).toEqual([]);
    expect(judge([...FIRST.slice(0, 4), ...SECOND])).toEqual([]);
  });

  it("is found wanting for a lost, a doubled, a changed and an unknown point", () => {
    expect(judge([...FIRST.slice(0, 3), ...SECOND])[0]).toContain("1 points are lost");
    expect(judge([...FIRST, ...SECOND.slice(0, 2)])[0]).toContain("1 points are lost");
    const doubled = [...FIRST.slice(0, 2), ...FIRST.slice(1), ...SECOND];
    expect(judge(doubled)[0]).toContain("is not what the worker logged");
    const changed = [pointLine(1, 1, 101, 0.11), ...FIRST.slice(1), ...SECOND];
    expect(judge(changed)[0]).toContain("is not what the worker logged");
    const stored = new Map([
      [NAME, [...FIRST, ...SECOND]],
      ["ghost", [pointLine(1, 1, 1, 1)]],
    ]);
    expect(comparedToTruth(stored, truths, run)[0]).toContain("was never logged");
  });
});

it("attempts whose workers logged at the same time are found", () => {
  expect(attemptsAtOnce(truths, run)).toEqual([]);
  const late = [...FIRST, pointLine(1, 7, 300, 0.7)];
  const overlapping = new Map([...truths, ["1/1", new Map([[NAME, late]])]]);
  expect(attemptsAtOnce(overlapping, run)).toHaveLength(1);
});

it("a curve leaves out what a later attempt superseded, and differs where a value does", () => {
  const stored = new Map([[NAME, [...FIRST.slice(0, 4), pointLine(1, 5, 105, 9), ...SECOND]]]);
  const curves = curvesOf(stored, run.attempts);
  const twin = curvesOf(new Map([[NAME, [...FIRST, ...SECOND.slice(2)]]]), [attempt(1, 0)]);
  expect(comparedCurves(curves, twin)).toEqual([]);
  const other = new Map([[NAME, new Map([...(twin.get(NAME) ?? []), [3, "0.31"]])]]);
  expect(comparedCurves(curves, other)).toEqual([
    "train/loss differs from its twin's at 1 steps, first 3",
  ]);
});
