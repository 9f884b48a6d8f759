// What the home page shows of runs.
import type { RunSummary } from "@spotter/contract";
import { expect, it } from "vitest";
import {
  busiest,
  curveMetricOf,
  keyMetricOf,
  lastEnded,
  progressLine,
  remainingOf,
  silenceOf,
  sparkline,
  verdictOf,
} from "./prepare-home.ts";

const run = {
  id: 7,
  state: "running",
  last_event_at: 100,
  started_at: 10,
  ended_at: null,
  best: { metric: "val/accuracy", value: 0.93, step: 900 },
  metrics: { "train/loss": 0.8, "val/accuracy": 0.91 },
  progress: { step: 1240, total_steps: 4000, eta_s: 300, steps_per_s: 8.2 },
} as unknown as RunSummary;

it("shows the latest value of the metric that chooses the best model", () => {
  expect(keyMetricOf(run)).toEqual({ name: "val/accuracy", value: 0.91 });
  expect(keyMetricOf({ ...run, best: null, metrics: { "val/loss": 1 } })?.name).toBe("val/loss");
  expect(keyMetricOf({ ...run, best: null, metrics: {} })).toBeNull();
  const machine = { "system/cpu_percent": 93 };
  expect(keyMetricOf({ ...run, best: null, metrics: machine })).toBeNull();
  expect(curveMetricOf(run)).toBe("train/loss");
});

it("puts what works before what waits, and shows no more than six", () => {
  const runs = [9, 8, 7, 6, 5, 4, 3].map((id) => ({
    ...run,
    id,
    state: id === 9 ? ("queued" as const) : id === 3 ? ("paused" as const) : ("running" as const),
  }));
  expect(busiest(runs).map((entry) => entry.id)).toEqual([8, 7, 6, 5, 4, 3]);
});

it("lists what ended by its end, not by its number", () => {
  const runs = [15, 11, 9].map((id, place) => ({ ...run, id, ended_at: 100 + place }));
  expect(lastEnded(runs, 2).map(({ id }) => id)).toEqual([9, 11]);
});

it("says what is left, but never a frozen guess", () => {
  expect(remainingOf(run, 103, "en")).toBe("5 min");
  expect(remainingOf(run, 120, "en")).toBeNull();
  expect(silenceOf(run, 114)).toBe(14);
  expect(silenceOf(run, 105)).toBeNull();
  expect(progressLine(run, "en")).toBe("1,240 / 4,000 · 8.20 it/s");
});

it("gives an ended run's verdict", () => {
  expect(
    verdictOf(
      { ...run, state: "finished", ended_at: 900, trained_s: 60, training_since: null },
      "en",
    ),
  ).toEqual({
    best: "val/accuracy 93.0 % @ 900",
    duration: "1 min 00 s",
  });
});

it("draws small curves with gaps where there is no value", () => {
  expect(sparkline([0, 1], [1, 0], 100, 40)).toBe("M0.0 2.0L100.0 38.0");
  expect(sparkline([0, 1, 2, 3], [1, null, 0, 1], 90, 40)).toBe("M0.0 2.0M60.0 38.0L90.0 2.0");
  expect(sparkline([], [], 90, 40)).toBe("");
});
