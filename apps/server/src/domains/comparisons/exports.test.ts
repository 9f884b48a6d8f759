// What leaves in a file: values as they are, and nothing that a spreadsheet or a page would carry out.
import type { ComparisonReport } from "@spotter/contract";
import { expect, it } from "vitest";
import { csvCell, csvOf, markdownOf } from "./exports.ts";

const REPORT: ComparisonReport = {
  runs: [run(1, '=HYPERLINK("http://x")', "1", "A"), run(2, "two, | <b>words</b>", null, "B")],
  missing_run_ids: [],
  metrics: [
    {
      ...{ name: "val/loss", direction: "lower", better: { last: [2], best: [] } },
      readings: [
        { run_id: 1, last: { step: 9, value: "NaN" }, best: 0.5, num_points: 3, num_non_finite: 1 },
        { run_id: 2, last: { step: 9, value: 0.25 }, best: 0.25, num_points: 3, num_non_finite: 0 },
      ],
    },
  ],
  num_metrics: 2,
  apart: [{ part: "val", fields: ["class_subset"] }],
  num_config: 2,
  config: [
    { key: "lr", values: ["-0.5", null], differs: true, is_seed: false },
    { key: "name", values: ["+cmd", "+cmd"], differs: false, is_seed: false },
  ],
  ...{ metric: "val/loss", direction: "lower", value: "last", base: "A" },
  groups: [
    {
      id: "A",
      ...{ label: "lr -0.5", label_zh: "lr -0.5" },
      run_ids: [1],
      n: 0,
      mean: null,
      sd: null,
      interval: null,
      left_out: [],
    },
    {
      id: "B",
      ...{ label: "lr –", label_zh: "lr –" },
      run_ids: [2],
      n: 1,
      mean: 0.25,
      sd: null,
      interval: null,
      left_out: [],
    },
  ],
  verdicts: [
    {
      ...{ base: "A", other: "B", outcome: "no-verdict", reason: "no-values", test: null },
      ...{ n_base: 0, n_other: 1, difference: null, interval: null, t: null, df: null, p: null },
      ...{ effect: null, seeds: null, unfinished: [], apart: [] },
      left_out: [{ run_id: 1, reason: "non-finite" }],
    },
  ],
};

function run(
  id: number,
  name: string,
  seed: string | null,
  group: string,
): ComparisonReport["runs"][number] {
  return {
    ...{ id, project_id: 1, name, source: "script", recipe: null, state: "finished", tags: [] },
    ...{ created_at: 1, started_at: 1, ended_at: 2, deleted_at: null },
    ...{ parent_id: null, seed, group, origin: null },
  };
}

it("writes a row a run, with every metric and every key", () => {
  expect(csvOf(REPORT).split("\r\n")).toEqual([
    "run,name,group,seed,state,recipe,group name,began in,val/loss last,val/loss best,config lr,config name",
    `1,"'=HYPERLINK(""http://x"")",A,1,finished,,lr -0.5,,NaN,0.5,-0.5,'+cmd`,
    `2,"two, | <b>words</b>",B,,finished,,lr –,,0.25,0.25,,'+cmd`,
    "",
  ]);
});

it.each([
  ["=1+1", "'=1+1"],
  ["+1-2", "'+1-2"],
  ["-2+3", "'-2+3"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["\t=1", "'\t=1"],
  [" =1", "' =1"],
  ["-1.5e-7", "-1.5e-7"],
  [-3, "-3"],
  ["-Infinity", "-Infinity"],
  ['say "x"', '"say ""x"""'],
  [null, ""],
])("writes %j as %s", (value, cell) => {
  expect(csvCell(value)).toBe(cell);
});

it("writes Markdown with the verdict in words, and names that stay text", () => {
  const text = markdownOf(REPORT, "en");
  expect(text).toContain("# Comparison of runs 1, 2");
  expect(text).toContain("- No verdict: lr -0.5 has no finite value of val/loss. Left out: run 1");
  expect(text).toContain("2 two, \\| \\<b\\>words\\</b\\>");
  expect(text).toContain("| val/loss | NaN (best 0.5) | **0.25** (best 0.25) |");
  expect(text).toContain("measured on different examples (class_subset): val/ metrics do not");
  expect(text).toContain("1 of 2 metrics are shown.");
  expect(text).toContain("| lr | -0.5 | – |");
  expect(text).not.toContain("| name |");
});

it("says where the runs began, in every form", () => {
  const keep = { optimizer: true, scheduler: false, rng: false, data_position: false };
  const forks = [{ parent_id: 14, step: 420, keep, changes: [] }];
  const [first, second] = REPORT.runs.map((one, index) => ({
    ...one,
    origin: { forks: index === 0 ? [] : forks, values: [], model: null },
  }));
  if (first === undefined || second === undefined) throw new Error("two runs");
  const report = { ...REPORT, config: [], num_config: 0, runs: [first, second] };
  expect(markdownOf(report, "en")).toContain(
    "| began in | from scratch | run 14 @ step 420, keeps weights, optimizer |",
  );
  expect(markdownOf(report, "zh")).toContain(
    "| 起点 | 从头训练 | 训练 14 第 420 步，保留权重、优化器 |",
  );
  expect(csvOf(report)).toContain(',"run 14 @ step 420, keeps weights, optimizer",');
});

it("writes Markdown in Chinese", () => {
  expect(markdownOf(REPORT, "zh")).toContain("无法判断：lr -0.5 没有 val/loss 的有限数值。");
});
