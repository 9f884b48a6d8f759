// Small curves for the tests of what a chart decides.
import type { ChartLine } from "./prepare-chart.ts";
import { emptyWindow } from "./window-request.ts";

export const chartSettings = {
  axis: "step" as const,
  smoothing: 0,
  yMode: "auto" as const,
  fitAll: false,
};
/** A curve of one point a bucket; null stands for NaN. */
export function chartLine(
  id: string,
  steps: number[],
  values: (number | null)[],
  change: Partial<ChartLine> = {},
): ChartLine {
  const request = {
    runId: 1,
    name: "loss",
    x: "step" as const,
    from: null,
    to: null,
    maxPoints: 300,
    superseded: false,
  };
  const window = emptyWindow(request);
  window.num_points = steps.length;
  window.buckets = {
    first_step: steps,
    last_step: steps,
    first_time: steps,
    last_time: steps,
    min: values,
    max: values,
    mean: values,
    count: steps.map(() => 1),
    nan: values.map((value) => (value === null ? 1 : 0)),
    pos_inf: steps.map(() => 0),
    neg_inf: steps.map(() => 0),
  };
  return { id, label: id, slot: 0, faint: false, window, startedAt: 0, ...change };
}
