// Which values a run has, what holds after changes and reverts, and from where it may go on.
import { type RunCommand, recipes } from "@spotter/contract";
import { describe, expect, it } from "vitest";
import {
  changeableNames,
  configAtStart,
  configChanges,
  configInForce,
  describeValues,
  newestCheckpoint,
  revertedIds,
  startedConfig,
  valueIssues,
} from "./live-values.ts";

const base: RunCommand = {
  ...{ id: 1, action: "set", state: "done", created_at: 1, created_by: 1, created_by_name: "ada" },
  ...{ acked_at: 2, message: null, step: 10, values: {}, reason: "why", change_id: null },
  change: null,
};
const set = (id: number, after: Record<string, number | null>, step = id * 10): RunCommand => ({
  ...base,
  ...{ id, step, values: after, acked_at: id },
  change: {
    ...{ before: {}, after, rate_before: 1, rate_after: 1 },
    checkpoint: `checkpoints/step-${step}`,
  },
});
const revert = (id: number, change_id: number): RunCommand => ({
  ...base,
  ...{ id, action: "revert", change_id, acked_at: id },
});

describe("values that may change", () => {
  const config = startedConfig("vision", JSON.stringify({ data: { builtin: "digits" } }));

  it("are those that recipe and optimiser have", () => {
    expect(changeableNames("vision", config)).not.toContain("momentum");
    expect(changeableNames("vision", config)).toEqual(
      expect.arrayContaining(["beta1", "dropout", "batch_size"]),
    );
    const sgd = { ...config, optimizer: "sgd", schedule: "step" };
    expect(changeableNames("vision", sgd)).toContain("momentum");
    expect(changeableNames("vision", sgd)).not.toContain("beta1");
    expect(changeableNames("vision", sgd)).not.toContain("batch_size");
    expect(changeableNames("text-finetune", config)).not.toContain("dropout");
  });

  it("carry the recipe's own bounds and words", () => {
    const values = describeValues("vision", config, { ...config, learning_rate: 1e-4 });
    expect(values.find(({ name }) => name === "learning_rate")).toMatchObject({
      ...{ title: "Learning rate", title_zh: "学习率", kind: "number", nullable: false },
      ...{ value: 1e-4, above: 0, minimum: null, maximum: 10, below: null },
    });
    expect(values.find(({ name }) => name === "beta1")).toMatchObject({ minimum: 0, below: 1 });
    expect(values.find(({ name }) => name === "gradient_clip")).toMatchObject({ nullable: true });
    expect(values.find(({ name }) => name === "batch_size")).toMatchObject({
      ...{ kind: "integer", minimum: 1, maximum: 65_536 },
    });
  });

  it("are refused field by field", () => {
    expect(valueIssues("vision", config, { learning_rate: 1e-4 })).toEqual([]);
    const issues = valueIssues("vision", config, { learning_rate: 11, dropout: -1 });
    expect(issues.map(({ path }) => path).sort()).toEqual([
      "values.dropout",
      "values.learning_rate",
    ]);
  });

  it("are there for every recipe that Spotter trains", () => {
    for (const name of Object.keys(recipes) as (keyof typeof recipes)[])
      expect(changeableNames(name, { optimizer: "adamw" }).includes("learning_rate")).toBe(
        name !== "command",
      );
  });
});

describe("what holds", () => {
  it("is the last change of each value, without what was reverted", () => {
    const commands = [set(1, { a: 1 }), set(2, { a: 2, b: 2 }), set(4, { b: 4 })];
    expect(configInForce({ a: 0, b: 0 }, commands)).toEqual({ a: 2, b: 4 });
    // Taking the second back takes the third with it, which was made under it.
    const reverted = [...commands, revert(5, 2), set(6, { c: 6 })];
    expect([...revertedIds(reverted).keys()]).toEqual([2, 4]);
    expect(configInForce({ a: 0, b: 0 }, reverted)).toEqual({ a: 1, b: 0, c: 6 });
  });

  it("leaves out what was refused, waits, or was reverted in vain", () => {
    const commands = [
      { ...set(1, { a: 1 }), state: "refused" as const },
      { ...set(2, { a: 2 }), state: "sent" as const },
      set(3, { a: 3 }),
      { ...revert(4, 3), state: "refused" as const },
    ];
    expect(configInForce({ a: 0 }, commands)).toEqual({ a: 3 });
  });
});

describe("the checkpoint to go on from", () => {
  const file = (step: number, created_at: number) => ({
    ...{ kind: "checkpoint", path: `checkpoints/step-${step}`, step, created_at },
    removed_at: null,
  });

  it("is the newest", () => {
    expect(newestCheckpoint([file(10, 1), file(30, 3), file(20, 2)], [])?.step).toBe(30);
    expect(newestCheckpoint([], [])).toBeUndefined();
  });

  it("is none that a reverted change has led to, until the run has got there anew", () => {
    const commands = [set(1, { a: 1 }, 10), revert(5, 1)];
    const files = [file(10, 1), file(20, 2), file(30, 3)];
    expect(newestCheckpoint(files, commands)?.step).toBe(10);
    expect(newestCheckpoint([...files, file(15, 8)], commands)?.step).toBe(15);
  });
});

describe("a config beside what people have changed", () => {
  const changed = (
    id: number,
    before: Record<string, number | null>,
    after: Record<string, number | null>,
  ) => {
    const command = set(id, after);
    return { ...command, change: command.change === null ? null : { ...command.change, before } };
  };

  it("is what it began with, also once a worker that goes on tells the values of its checkpoint", () => {
    const first = changed(1, { learning_rate: 0.003 }, { learning_rate: 0.001 });
    const second = changed(2, { learning_rate: 0.001, epochs: 5 }, { learning_rate: 2, epochs: 9 });
    const told = { learning_rate: 0.001, epochs: 5, width: 8 };
    const began = { learning_rate: 0.003, epochs: 5, width: 8 };
    expect(configAtStart(told, [first, second])).toEqual(began);
    expect(configAtStart(told, [first, second, revert(3, 1)])).toEqual(began);
    expect(configAtStart(began, [{ ...first, state: "expired" }])).toEqual(began);
  });

  it("names each value that was changed, from which step on, by whom and why", () => {
    const first = changed(2, { epochs: 5, beta1: 0.9 }, { epochs: 9, beta1: 0.9 });
    const second = changed(1, { learning_rate: 0.003 }, { learning_rate: 0.001 });
    const rest = { by_name: "ada", reason: "why" };
    expect(configChanges([second, first])).toEqual([
      { key: "learning_rate", from: 0.003, to: 0.001, from_step: 11, at: 1, ...rest },
      { key: "epochs", from: 5, to: 9, from_step: 21, at: 2, ...rest },
    ]);
    expect(configChanges([second, first, revert(3, 2)])).toHaveLength(1);
    expect(configChanges([{ ...second, state: "refused", change: null }])).toEqual([]);
  });
});
