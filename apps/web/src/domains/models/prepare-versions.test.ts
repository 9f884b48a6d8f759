// The columns and short texts of a table of versions.
import type { ModelVersion } from "@spotter/contract";
import { expect, it } from "vitest";
import { metricColumns, metricNames, parametersText, revisionText } from "./prepare-versions.ts";

it("shows what was tested first, then validation, and no more than three", () => {
  const versions: Pick<ModelVersion, "metrics">[] = [
    { metrics: { "train/loss": 1, "val/loss": 1, "test/loss": 1 } },
    { metrics: { "test/accuracy": 1, "test/entropy": 1, "val/accuracy": 1 } },
  ];
  expect(metricNames(versions).slice(0, 4)).toEqual([
    "test/accuracy",
    "test/loss",
    "test/entropy",
    "val/accuracy",
  ]);
  expect(metricColumns(versions)).toEqual(["test/accuracy", "test/loss", "val/accuracy"]);
  expect(metricColumns(versions, "train/loss")[0]).toBe("train/loss");
  expect(metricColumns([])).toEqual([]);
});

it("shortens revisions and hashes, and marks changes that no revision holds", () => {
  expect(revisionText({ revision: "9574c37a1d5e0b6c2f83", dirty: true })).toBe("9574c37a1d5e*");
  expect(revisionText({ revision: `sha256:${"ab".repeat(32)}`, dirty: false })).toBe(
    "sha256:abababababab",
  );
  expect(revisionText(null)).toBeNull();
});

it("says of an adapter alone that its file holds less than the model has", () => {
  const text = (config: Record<string, unknown>, num_parameters: number | null = 136_512) => {
    const version = { recipe: "text-finetune", config, num_parameters } as ModelVersion;
    return parametersText(version, (key, { count }) => `${key} ${count}`);
  };
  expect(text({ method: "lora", merge: true })).toBe("136,512");
  expect(text({ method: "full", merge: false })).toBe("136,512");
  expect(text({ method: "lora", merge: false })).toBe("models.parametersWithAdapter 136,512");
  expect(text({ method: "lora", merge: false }, null)).not.toContain("models");
});
