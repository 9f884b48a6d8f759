// Files by the writers that people use, followed through node's file system; see fixtures/README.md.
import * as filePromises from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { LogdirFollower } from "./follow.ts";
import { nodeEventFileSystem } from "./node-file-system.ts";
import type { RunItem } from "./run-items.ts";

const runs = new Map<string, RunItem[]>();

beforeAll(async () => {
  const logdir = fileURLToPath(new URL("../fixtures", import.meta.url));
  const fileSystem = nodeEventFileSystem(filePromises);
  for await (const { run, items } of new LogdirFollower({ fileSystem, logdir }).poll()) {
    runs.set(run, [...(runs.get(run) ?? []), ...items]);
  }
});

function columnsOf(run: string, tag: string): { step: number[]; time: number[]; value: number[] } {
  const found = runs.get(run)?.find((item) => item.kind === "scalars" && item.tag === tag);
  if (found?.kind !== "scalars") throw new Error(`no points of ${tag} in ${run}`);
  return found;
}

function range(count: number, value: (index: number) => number): number[] {
  return Array.from({ length: count }, (_, index) => value(index));
}

test("no fixture has a problem", () => {
  const problems = [...runs.values()].flat().filter((item) => item.kind === "problem");
  expect(problems).toEqual([]);
  expect(runs.size).toBe(9);
});

test("torch: old style scalars, values that are not finite, steps beyond 32 bits", () => {
  expect(columnsOf("torch-simple", "train/loss")).toMatchObject({
    step: range(20, (step) => step),
    time: range(20, (step) => 1_700_000_000 + step),
    value: range(20, (step) => Math.fround(1 / (step + 1))),
  });
  const { value } = columnsOf("torch-simple", "train/odd");
  expect(value).toEqual([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  expect(columnsOf("torch-simple", "train/late").step).toEqual([5_000_000_000]);
});

test.each(["val/accuracy", "val/exact"])("torch: new style scalars of %s", (tag) => {
  expect(columnsOf("torch-tensor", tag)).toMatchObject({
    step: range(10, (step) => step),
    time: range(10, (step) => 1_700_000_000.25 + step),
    value: range(10, (step) => Math.fround(step / 10)),
  });
});

test("what is not a scalar is counted by its kind", () => {
  const skipped = runs.get("torch-mixed")?.filter((item) => item.kind === "skipped");
  expect(skipped).toEqual([
    { kind: "skipped", content: "histograms", count: 3 },
    { kind: "skipped", content: "images", count: 1 },
    { kind: "skipped", content: "text", count: 1 },
    { kind: "skipped", content: "audio", count: 1 },
    { kind: "skipped", content: "pr_curves", count: 1 },
  ]);
  expect(columnsOf("torch-mixed", "loss").value).toEqual([3, 2, 1]);
});

test("torch: add_hparams gives hyperparameters, a status and the metric in its sub-run", () => {
  expect(columnsOf("torch-hparams", "loss").value).toEqual([0.5]);
  const items = runs.get("torch-hparams/trial") ?? [];
  expect(items.map((item) => item.kind)).toEqual([
    "experiment",
    "hparams",
    "session-end",
    "scalars",
  ]);
  // torch itself stores the boolean as a number.
  const hyperparameters = { lr: 0.1, batch_size: 32, optimizer: "sgd", nesterov: 1 };
  expect(items[1]).toMatchObject({ hyperparameters, groupName: null, startTime: null });
  expect(items[2]).toMatchObject({ status: "success" });
  expect(columnsOf("torch-hparams/trial", "hparam/accuracy").value).toEqual([0.75]);
});

test("torch: purge_step is a restart", () => {
  const kinds = runs.get("torch-purge")?.map((item) => item.kind);
  expect(kinds).toEqual(["scalars", "restart", "scalars"]);
  expect(runs.get("torch-purge")?.[1]).toMatchObject({ step: 6 });
});

test("tensorboardX and TensorBoard's own writer", () => {
  expect(columnsOf("tensorboardx-simple", "loss").value).toEqual([0, 0.5, 1, 1.5, 2]);
  expect(columnsOf("tensorboard-summary", "loss").value).toEqual([0, 2, 4, 6, 8]);
});

test("a session with a group that ended as failure", () => {
  expect(runs.get("keras-hparams")).toEqual([
    {
      kind: "hparams",
      hyperparameters: { units: 16, activation: "relu" },
      groupName: "group-7",
      startTime: 1_700_000_000,
    },
    { kind: "session-end", status: "failure", endTime: 1_700_000_060 },
  ]);
});
