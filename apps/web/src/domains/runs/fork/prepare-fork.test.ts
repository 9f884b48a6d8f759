import { ApiError } from "@spotter/client";
import type { RunFile } from "@spotter/contract";
import { expect, test } from "vitest";
import type { FormField } from "../new-run/prepare-fields.ts";
import { NO_WISHES } from "../new-run/prepare-wishes.ts";
import {
  forkableSteps,
  mayStart,
  newestKept,
  openFields,
  requestOf,
  usualFields,
} from "./prepare-fork.ts";

const file = (step: number, more: Partial<RunFile> = {}): RunFile => ({
  ...{ id: step, kind: "checkpoint", path: `checkpoints/step-${step}`, size: 1, sha256: "" },
  ...{ attempt: 1, step, epoch: 1, metrics: {}, label: null, created_at: 1, removed_at: null },
  ...more,
});
const field = (key: string) => ({ key }) as FormField;

test("only what is dropped is said: the server keeps the rest where the changes allow it", () => {
  const form = {
    step: 20,
    dropped: new Set(["scheduler"] as const),
    changes: {},
    seeds: 1,
    wishes: NO_WISHES,
  };
  expect(requestOf({ ...form, name: " slower " })).toEqual({
    checkpoint: 20,
    keep: { scheduler: false },
    changes: {},
    seeds: 1,
    name: "slower",
  });
  expect(requestOf({ ...form, step: null, name: "" })).toMatchObject({ checkpoint: "last" });
  const wishes = { ...NO_WISHES, priority: -1, cores: "2", timeLimit: "90" };
  expect(requestOf({ ...form, name: "", wishes })).toMatchObject({
    ...{ priority: -1, resources: { cpu_cores: 2 }, limits: { time_s: 5400 } },
  });
});

test("checkpoints are offered newest first, without what policy removed", () => {
  const files = [file(10, { label: "best" }), file(20, { removed_at: 5 }), file(30)];
  expect(forkableSteps([...files, file(40, { kind: "weights" })])).toEqual([
    { step: 30, label: null },
    { step: 10, label: "best" },
  ]);
});

test("where policy has removed the chosen checkpoint, the newest one left is known", () => {
  const gone = (code: string, steps: number[]) => new ApiError(code, 404, "", { steps });
  expect(newestKept(gone("checkpoint-not-found", [10, 30, 20]))).toBe(30);
  expect(newestKept(gone("checkpoint-not-found", []))).toBeNull();
  expect(newestKept(gone("checkpoint-damaged", [10]))).toBeNull();
  expect(newestKept(null)).toBeNull();
});

test("what shapes the model is not offered", () => {
  const fields = ["width", "learning_rate", "image_size", "epochs", "data"].map(field);
  expect(openFields("vision", fields).map(({ key }) => key)).toEqual([
    "learning_rate",
    "epochs",
    "data",
  ]);
  const text = ["data", "tokenizer", "context", "dropout"].map(field);
  expect(openFields("text-lm", text).map(({ key }) => key)).toEqual(["dropout"]);
});

test("a bound on the steps is offered where it is the one that counts", () => {
  const fields = ["epochs", "max_steps", "learning_rate"].map(field);
  expect(usualFields(fields, { max_steps: 200 })).toEqual(["learning_rate", "epochs", "max_steps"]);
  expect(usualFields(fields, { max_steps: null })).toEqual(["learning_rate", "epochs"]);
});

test("nothing starts under a wrong value, though the plan of before it still stands", () => {
  const form = { plan: { warnings: [] }, isPlanning: false, problems: new Map() };
  expect(mayStart(form)).toBe(true);
  expect(mayStart({ ...form, problems: new Map([["learning_rate", {}]]) })).toBe(false);
  expect(mayStart({ ...form, isPlanning: true })).toBe(false);
  expect(mayStart({ ...form, plan: null })).toBe(false);
  const over = { code: "no-steps-left", severity: "warning", message: "", message_zh: "" } as const;
  expect(mayStart({ ...form, plan: { warnings: [over] } })).toBe(false);
});
