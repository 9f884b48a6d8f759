// The one line of progress, for a recipe and for an own script.
import type { RunSummary } from "@spotter/contract";
import { expect, it } from "vitest";
import { progressLine } from "./progress-line.ts";

const run = {
  state: "running",
  metrics: { "train/loss": 0.08341, "val/accuracy": 0.974 },
  progress: {
    step: 750,
    total_steps: 1500,
    epoch: 8,
    total_epochs: 25,
    steps_per_s: 41.26,
    eta_s: 12,
  },
} as unknown as RunSummary;

it("shows bar, loss, accuracy, speed and time left", () => {
  expect(progressLine(run, "en")).toBe(
    "[############------------] 750/1500  epoch 8/25  loss 0.08341  val acc 97.4 %  41.3 it/s  0:12 left",
  );
  expect(progressLine(run, "zh")).toContain("剩余 0:12");
});

it("names no epoch of a script that has none, and no total that is not known", () => {
  const told = (epoch: number, total_epochs: number | null) =>
    progressLine(
      { ...run, progress: { ...run.progress, epoch, total_epochs } } as RunSummary,
      "en",
    );
  expect(told(0, null)).not.toContain("epoch");
  expect(told(0, 3)).not.toContain("epoch");
  expect(told(2, null)).toContain("  epoch 2  ");
});

it("shows the state of a run that has told no progress, with whatever metrics it has", () => {
  const silent = { ...run, progress: null, metrics: { reward: "NaN" } } as unknown as RunSummary;
  expect(progressLine(silent, "en")).toBe("running  reward NaN");
});
