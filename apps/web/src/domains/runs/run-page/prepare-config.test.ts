import { expect, test } from "vitest";
import { configRows } from "./prepare-config.ts";

test("nested settings become dotted rows with the reasons of derived values", () => {
  expect(
    configRows(
      {
        seed: 7,
        schedule: { warmup_steps: 12 },
        layers: [1, 2],
        gradient_clip: null,
        init_from: null,
        device: null,
      },
      {
        "schedule.warmup_steps": "12 = 1,437 / 120",
        device: "no GPU was found",
      },
      (word) => word,
    ),
  ).toEqual([
    { key: "seed", value: "7", reason: null },
    { key: "schedule.warmup_steps", value: "12", reason: "12 = 1,437 / 120" },
    { key: "layers", value: "[1,2]", reason: null },
    { key: "gradient_clip", value: "newRun.off", reason: null },
    { key: "init_from", value: "–", reason: null },
    { key: "device", value: "–", reason: "no GPU was found" },
  ]);
});
