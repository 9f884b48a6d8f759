// Rows of the runs list.
import type { RunSummary } from "@spotter/contract";
import { expect, it } from "vitest";
import { cellOf, mergeRun, shareDone, visibleRows } from "./prepare-rows.ts";

const run: RunSummary = {
  id: 42,
  project_id: 1,
  name: "resnet18-digits",
  source: "recipe",
  recipe: "vision",
  state: "running",
  reason: null,
  owner_id: 1,
  owner_name: "ada",
  tags: ["baseline"],
  created_at: 1000,
  started_at: 1010,
  ended_at: null,
  trained_s: 0,
  training_since: 1010,
  last_event_at: 1100,
  archived_at: null,
  deleted_at: null,
  progress: {
    step: 1240,
    total_steps: 4000,
    epoch: 3,
    total_epochs: 10,
    batch: 4,
    batches: 400,
    eta_s: 300,
    steps_per_s: 8.2,
    lr_schedule: "cosine",
    phase: "training",
    time: 1100,
  },
  last_step: 1240,
  best: { metric: "val/accuracy", value: 0.93, step: 900 },
  metrics: { "train/loss": "NaN", "val/accuracy": 0.914 },
  epoch_means: {},
  parent_id: null,
};

it("writes metric cells by their names and NaN as NaN in the colour of failure", () => {
  expect(cellOf(run, "metric:val/accuracy", 0, "en")).toMatchObject({
    text: "91.4 %",
    isBad: false,
  });
  expect(cellOf(run, "metric:train/loss", 0, "en")).toMatchObject({ text: "NaN", isBad: true });
  expect(cellOf(run, "metric:unknown", 0, "en").text).toBe("–");
  expect(cellOf(run, "best", 0, "en")).toMatchObject({
    text: "93.0 %",
    hint: "val/accuracy @ 900",
  });
});

it("writes progress as steps and a share", () => {
  expect(cellOf(run, "progress", 0, "en")).toMatchObject({ text: "1,240 / 4,000", share: 0.31 });
  expect(shareDone({ ...run, state: "finished" })).toBe(1);
  expect(shareDone({ ...run, progress: null })).toBeNull();
  // A script of one's own tells no more than its points.
  expect(cellOf({ ...run, progress: null }, "progress", 0, "en").text).toBe("1,240");
});

it("counts as duration what was trained, up to now where it trains", () => {
  const first = { ...run, trained_s: 40, training_since: 1050 };
  expect(cellOf(first, "duration", 1110, "en").text).toBe("1 min 40 s");
  expect(cellOf({ ...first, training_since: null }, "duration", 9999, "en").text).toBe("40 s");
  expect(cellOf({ ...first, started_at: null }, "duration", 9999, "en").text).toBe("–");
});

it("draws only the rows in the window and a few beyond", () => {
  expect(visibleRows(10_000, 34, 3400, 680, 10)).toEqual({ first: 90, last: 130 });
  expect(visibleRows(5, 34, 0, 680)).toEqual({ first: 0, last: 5 });
  expect(visibleRows(0, 34, 0, 680)).toEqual({ first: 0, last: 0 });
});

it("keeps metric columns that a live event does not carry", () => {
  const changed = { ...run, state: "finished" as const, metrics: { "train/loss": 0.5 } };
  expect(mergeRun([run], changed)?.[0]).toMatchObject({
    state: "finished",
    metrics: { "train/loss": 0.5, "val/accuracy": 0.914 },
  });
  expect(mergeRun([], changed)).toBeNull();
});
