// Parallel coordinates: axes, places, and what a marked part of an axis keeps.
import type { ComparedMetric, ComparisonReport } from "@spotter/contract";
import { expect, it } from "vitest";
import { insideBrushes, moveEnd, prepareParallel, setBrush, textAt } from "./prepare-parallel.ts";

type Part = Pick<ComparisonReport, "runs" | "config" | "metrics" | "metric" | "value">;

function metric(name: string, values: (number | "NaN" | null)[]): ComparedMetric {
  return {
    ...{ name, direction: name === "entropy" ? null : "lower", better: { last: [], best: [] } },
    readings: values.flatMap((value, index) =>
      value === null
        ? []
        : [
            {
              ...{
                run_id: index + 1,
                last: { step: 1, value },
                best: null,
                num_points: 1,
                num_non_finite: 0,
              },
            },
          ],
    ),
  };
}

const row = (key: string, values: (string | null)[], more: object = {}) => ({
  ...{ key, values, differs: new Set(values).size > 1, is_seed: false, ...more },
});

const REPORT: Part = {
  runs: [1, 2, 3].map((id) => ({ id }) as Part["runs"][number]),
  config: [
    row("lr", ["0.0001", "0.01", "1"]),
    row("optimizer", ["sgd", "adam", null]),
    row("same", ["1", "1", "1"]),
    row("seed", ["1", "2", "3"], { is_seed: true }),
  ],
  metrics: [
    metric("train/loss", [1, 2, 3]),
    metric("entropy", [1, 2, 3]),
    metric("val/loss", [4, "NaN", null]),
  ],
  metric: "val/loss",
  value: "last",
};
const write = (_: string, value: number | string) => `<${value}>`;

it("has an axis for every key that differs but the seed, and for metrics with a direction, the chosen one first", () => {
  const { axes, numLeftOut } = prepareParallel(REPORT, write);
  expect(axes.map(({ key, scale }) => [key, scale])).toEqual([
    ["lr", "log"],
    ["optimizer", "words"],
    ["val/loss", "linear"],
    ["train/loss", "linear"],
  ]);
  expect(axes[0]?.ticks).toEqual([
    { place: 0, text: "0.0001" },
    { place: 1, text: "1" },
  ]);
  expect(axes[3]?.ticks[1]).toEqual({ place: 1, text: "<3>" });
  expect(numLeftOut).toBe(0);
});

it("places numbers by their size or their power of ten, and breaks the line where there is no value", () => {
  const { lines } = prepareParallel(REPORT, write);
  expect(lines.map(({ places }) => places)).toEqual([
    [0, 0, 0.5, 0],
    [0.5, 1, null, 0.5],
    [1, null, null, 1],
  ]);
  expect(lines[1]?.texts).toEqual(["0.01", "adam", "<NaN>", "<2>"]);
});

it("keeps the runs that pass through every mark, and none that has no value there", () => {
  const parallel = prepareParallel(REPORT, write);
  expect(insideBrushes(parallel, {})).toEqual([1, 2, 3]);
  expect(insideBrushes(parallel, { lr: [0, 0.5] })).toEqual([1, 2]);
  expect(insideBrushes(parallel, { lr: [0.4, 1], "train/loss": [0, 0.5] })).toEqual([2]);
  expect(insideBrushes(parallel, { optimizer: [0.9, 1] })).toEqual([2]);
  expect(insideBrushes(parallel, { "val/loss": [0, 0.9] })).toEqual([1]);
});

it("moves the ends of a mark without their passing each other; a mark of everything is none", () => {
  const one = moveEnd({}, "lr", 0, 0.6);
  expect(one).toEqual({ lr: [0.6, 1] });
  expect(moveEnd(one, "lr", 1, 0.2)).toEqual({ lr: [0.6, 0.6] });
  expect(moveEnd(one, "lr", 0, -1)).toEqual({});
  expect(setBrush(one, "lr", null)).toEqual({});
});

it("says what stands nearest to the end of a mark", () => {
  const { axes, lines } = prepareParallel(REPORT, write);
  expect(textAt(axes[0]!, lines, 0, 0.45)).toBe("0.01");
  expect(textAt(axes[1]!, lines, 1, 0.9)).toBe("adam");
});

it("draws values that are all the same in the middle", () => {
  const { axes, lines } = prepareParallel(
    { ...REPORT, config: [], metrics: [metric("val/loss", [2, 2, 2])] },
    write,
  );
  expect(axes[0]?.ticks).toEqual([{ place: 0.5, text: "<2>" }]);
  expect(lines.map(({ places }) => places[0])).toEqual([0.5, 0.5, 0.5]);
});
