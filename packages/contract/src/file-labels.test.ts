// What the files of a run are called.
import { expect, test } from "vitest";
import { fileLabelOf } from "./file-labels.ts";

test("the best kept checkpoint and the weights of the best evaluation have different names", () => {
  const best = { metric: "val/accuracy", value: 0.93, step: 900 };
  expect(fileLabelOf({ kind: "checkpoint", label: "best", step: 880 }, best)).toBe("bestKept");
  expect(fileLabelOf({ kind: "weights", label: "final", step: 900 }, best)).toBe("bestWeights");
  expect(fileLabelOf({ kind: "weights", label: "final", step: 1000 }, null)).toBe("lastWeights");
  expect(fileLabelOf({ kind: "config", label: "final", step: 900 }, best)).toBe("final");
  expect(fileLabelOf({ kind: "checkpoint", label: null, step: 880 }, best)).toBeNull();
  expect(fileLabelOf({ kind: "other", label: "my own", step: null }, best)).toBeNull();
});
