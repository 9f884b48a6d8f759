// What a comparison of versions shows.
import { expect, it } from "vitest";
import { configDifferences, idsOf, isLowerBetter, metricRows } from "./prepare-compare.ts";

it("compares with the first version and marks the best by the metric's direction", () => {
  const rows = metricRows([
    { metrics: { "val/loss": 0.5, "test/accuracy": 0.9 } },
    { metrics: { "val/loss": 0.25, "test/accuracy": 0.8 } },
    { metrics: { "val/loss": "NaN" } },
  ]);
  expect(rows.map(({ name }) => name)).toEqual(["test/accuracy", "val/loss"]);
  expect(rows[0]?.cells.map(({ isBest }) => isBest)).toEqual([true, false, false]);
  expect(rows[0]?.cells[1]?.difference).toBeCloseTo(-0.1);
  expect(rows[1]?.cells).toMatchObject([
    { value: 0.5, difference: null, isBest: false },
    { value: 0.25, difference: -0.25, isBest: true },
    { value: "NaN", difference: null, isBest: false },
  ]);
});

it("marks none as best where the versions were measured on different examples", () => {
  const versions = [{ metrics: { "test/loss": 1 } }, { metrics: { "test/loss": 2 } }];
  expect(metricRows(versions)[0]?.cells[0]?.isBest).toBe(true);
  expect(metricRows(versions, ["test"])[0]?.cells.map(({ isBest }) => isBest)).toEqual([
    false,
    false,
  ]);
});

it("marks none as best where all are equal", () => {
  const [row] = metricRows([{ metrics: { accuracy: 1 } }, { metrics: { accuracy: 1 } }]);
  expect(row?.cells.some(({ isBest }) => isBest)).toBe(false);
});

it("marks none as best of a metric whose name does not say which end is good", () => {
  const [row] = metricRows([{ metrics: { entropy: 1 } }, { metrics: { entropy: 2 } }]);
  expect(row?.cells.map(({ isBest, difference }) => [isBest, difference])).toEqual([
    [false, null],
    [false, 1],
  ]);
});

it("knows which metrics should be small", () => {
  expect(["test/loss", "val/perplexity", "char_error_rate"].every(isLowerBetter)).toBe(true);
  expect(["test/accuracy", "tokens_per_s"].some(isLowerBetter)).toBe(false);
});

it("shows the keys in which configs differ, with what one of them lacks", () => {
  const difference = configDifferences([
    { config: { epochs: 2, seed: 1, data: { builtin: "digits" } } },
    { config: { epochs: 3, seed: 1, data: { path: "/photos" } } },
  ]);
  expect(difference).toEqual([
    { key: "epochs", values: ["2", "3"] },
    { key: "data.builtin", values: ["digits", null] },
    { key: "data.path", values: [null, "/photos"] },
  ]);
});

it("reads ids from the address, each once", () => {
  expect(idsOf("12,15,12,x,-1,1.5")).toEqual([12, 15]);
  expect(idsOf(undefined)).toEqual([]);
});
