// Last and best values out of windows of one bucket, and which of them is the better.
import type { SeriesWindow } from "@spotter/contract";
import { expect, it } from "vitest";
import { toMetric } from "./readings.ts";

function window(
  run_id: number,
  min: number | null,
  max: number | null,
  last: number | "NaN",
  nan = 0,
): SeriesWindow {
  return {
    ...{
      run_id,
      name: "x",
      num_points: 10,
      num_buckets: 1,
      total_points: 10,
      superseded_points: 0,
    },
    buckets: {
      ...{ first_step: [0], last_step: [9], first_time: [0], last_time: [9] },
      ...{
        min: [min],
        max: [max],
        mean: [min],
        count: [10],
        nan: [nan],
        pos_inf: [0],
        neg_inf: [0],
      },
    },
    ...{ attempts: [], last: { step: 9, time: 9, value: last }, commit_no: 1 },
  };
}

it("takes the good end for the best value, and marks whose it is", () => {
  const loss = toMetric("val/loss", [window(1, 0.2, 2, 0.3), window(2, 0.25, 1, 0.26)]);
  expect(loss.readings.map(({ best }) => best)).toEqual([0.2, 0.25]);
  expect(loss.better).toEqual({ last: [2], best: [1] });
  const accuracy = toMetric("val/accuracy", [window(1, 0.2, 0.9, 0.8), window(2, 0.1, 0.9, 0.9)]);
  // Both reached 0.9 once: nobody won that.
  expect(accuracy.better).toEqual({ last: [2], best: [] });
});

it("knows no best where the name does not say which end is good", () => {
  const entropy = toMetric("train/entropy", [window(1, 0, 1, 0.5), window(2, 0, 1, 0.7)]);
  expect(entropy.direction).toBeNull();
  expect(entropy.readings[0]?.best).toBeNull();
  expect(entropy.better).toEqual({ last: [], best: [] });
});

it("keeps NaN as NaN, and lets no NaN win", () => {
  const loss = toMetric("loss", [
    window(1, null, null, "NaN", 10),
    window(2, 1, 2, 1),
    window(3, 2, 3, 2),
  ]);
  expect(loss.readings[0]).toMatchObject({
    last: { value: "NaN" },
    best: null,
    num_non_finite: 10,
  });
  expect(loss.better).toEqual({ last: [2], best: [2] });
});
