// What is said of each curve: of what is shown, but for the last value, which is the run's.
import { expect, test } from "vitest";
import { prepareChart } from "./prepare-chart.ts";
import { lastOf, summariseChart } from "./prepare-summary.ts";
import { chartLine, chartSettings as settings } from "./test-lines.ts";

const steps = Array.from({ length: 100 }, (_, index) => index);
function rising(change: Parameters<typeof chartLine>[3] = {}) {
  const line = chartLine(
    "a",
    steps,
    steps.map((step) => step * 2),
    change,
  );
  line.window.last = { step: 400, time: 0, value: 800 };
  return line;
}

test("the summary has range, end and direction", () => {
  expect(summariseChart(prepareChart([rising()], settings), "step", [0, 99])[0]).toEqual({
    label: "a",
    points: 100,
    min: 0,
    max: 198,
    last: 800,
    trend: "rising",
    numNonFinite: 0,
  });
});

test("a zoomed view tells its own range, and still the run's last value", () => {
  expect(summariseChart(prepareChart([rising()], settings), "step", [10, 20])[0]).toMatchObject({
    ...{ points: 11, min: 20, max: 40, last: 800 },
  });
  expect(summariseChart(prepareChart([rising()], settings), "step", [200, 300])[0]).toMatchObject({
    ...{ points: 0, min: null, max: null, last: 800 },
  });
});

test("an ancestor ends where it is drawn to, and not where its run ended", () => {
  expect(lastOf(rising({ ancestor: true }))).toBe(198);
  expect(lastOf(rising({ faint: true }))).toBe(198);
  const sick = rising({ ancestor: true });
  sick.window.buckets.mean[99] = null;
  sick.window.buckets.nan[99] = 1;
  expect(lastOf(sick)).toBe("NaN");
  sick.window.buckets.count[99] = 7;
  expect(lastOf(sick)).toBe(null);
});

test("a mean's interval is no value that a run had", () => {
  const band = rising({ extremes: { low: 0, high: 198 } });
  band.window.buckets.min = steps.map(() => -5);
  band.window.buckets.max = steps.map(() => 500);
  const chart = prepareChart([band], settings);
  expect(summariseChart(chart, "step", [0, 99])[0]).toMatchObject({ min: 0, max: 198 });
});
