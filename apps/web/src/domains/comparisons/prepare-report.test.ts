// The report's tables.
import type { RunGroup } from "@spotter/contract";
import { expect, it } from "vitest";
import { hasSeeds, meanText, slotOfGroup, valueCells } from "./prepare-report.ts";

const group: RunGroup = {
  ...{ id: "A", label: "lr 0.1", label_zh: "lr 0.1", run_ids: [1, 2], n: 2, mean: 0.91, sd: 0.01 },
  ...{ interval: { low: 0.9, high: 0.92 }, left_out: [] },
};

it("writes a mean with half of its interval, in the metric's own way", () => {
  expect(meanText("val/accuracy", group)).toBe("91.0 % ± 1.0 %");
  expect(meanText("val/loss", { ...group, interval: null })).toBe("0.9100");
  expect(meanText("val/loss", { ...group, mean: null, interval: null })).toBe("–");
});

it("gives each run a cell, NaN as NaN, and says the best only where it is not the last", () => {
  const reading = { num_points: 3, num_non_finite: 1 };
  const cells = valueCells(
    {
      ...{ name: "loss", direction: "lower", better: { last: [2], best: [1] } },
      readings: [
        { run_id: 1, last: { step: 2, value: "NaN" }, best: 0.1, ...reading },
        { run_id: 2, last: { step: 2, value: 0.2 }, best: 0.2, ...reading, num_non_finite: 0 },
      ],
    },
    [{ id: 2 }, { id: 1 }, { id: 3 }],
  );
  expect(cells).toEqual([
    { last: 0.2, isBetterLast: true, best: null, isBetterBest: false, numNonFinite: 0 },
    { last: "NaN", isBetterLast: false, best: 0.1, isBetterBest: true, numNonFinite: 1 },
    null,
  ]);
});

it("draws groups where a seed is repeated, in the colour of their place", () => {
  const groups = [
    { ...group, run_ids: [1] },
    { ...group, id: "B" },
  ];
  expect(hasSeeds({ groups })).toBe(true);
  expect(hasSeeds({ groups: groups.slice(0, 1) })).toBe(false);
  expect(slotOfGroup({ groups }, "B")).toBe(1);
});
