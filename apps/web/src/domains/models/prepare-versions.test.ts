import { expect, test } from "vitest";
import { metricColumns } from "./prepare-versions.ts";

test("what was tested comes first, then what was validated, four at most", () => {
  const versions: { metrics: Record<string, number> }[] = [
    { metrics: { "train/loss": 1, "val/loss": 1, "val/accuracy": 1 } },
    { metrics: { "test/loss": 1, "test/accuracy": 1 } },
  ];
  expect(metricColumns(versions)).toEqual([
    "test/accuracy",
    "test/loss",
    "val/accuracy",
    "val/loss",
  ]);
  expect(metricColumns([])).toEqual([]);
});
