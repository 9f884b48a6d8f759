// Where a run began, in words: every way to begin.
import { expect, it } from "vitest";
import { originWords, type RunOrigin } from "./run-origin.ts";

const SCRATCH: RunOrigin = { forks: [], values: [], model: null };
const keep = { optimizer: true, scheduler: true, rng: false, data_position: false };

it("says what a run began in, in both languages", () => {
  const words = (origin: RunOrigin | null) => [
    originWords(origin, "en"),
    originWords(origin, "zh"),
  ];
  expect(words(null)).toEqual([null, null]);
  expect(words(SCRATCH)).toEqual(["from scratch", "从头训练"]);
  expect(words({ ...SCRATCH, model: { model_version: 3 } })).toEqual([
    "model version 3",
    "模型版本 3",
  ]);
  expect(words({ ...SCRATCH, model: { path: "/data/model" } })[0]).toBe("model /data/model");
  expect(words({ ...SCRATCH, model: { hub: "gpt2" } })).toEqual([
    "Hub model gpt2",
    "Hub 模型 gpt2",
  ]);
});

it("says of a fork what it kept, what its line was trained with later, and what its parent began in", () => {
  const origin: RunOrigin = {
    forks: [
      { parent_id: 14, step: 1420, keep, changes: [] },
      {
        ...{ parent_id: 9, step: 100, changes: [] },
        keep: { ...keep, rng: true, data_position: true },
      },
    ],
    values: [{ key: "learning_rate", to: 1e-4, from_step: 1421 }],
    model: null,
  };
  expect(originWords(origin, "en")).toBe(
    "run 14 @ step 1,420, keeps weights, optimizer, schedule; learning_rate 0.0001 from step 1,421; run 14 began in run 9 @ step 100",
  );
  expect(originWords(origin, "zh")).toBe(
    "训练 14 第 1,420 步，保留权重、优化器、学习率计划；learning_rate 自第 1,421 步起为 0.0001；训练 14 始于训练 9 第 100 步",
  );
});
