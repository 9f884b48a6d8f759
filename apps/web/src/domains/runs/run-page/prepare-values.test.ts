import type { RunCommand, RunValue } from "@spotter/contract";
import { expect, it } from "vitest";
import { boundsText, changeTexts, wishOf, writeValue } from "./prepare-values.ts";

const value = (over: Partial<RunValue>): RunValue => ({
  name: "learning_rate",
  title: "Learning rate",
  title_zh: "学习率",
  description: "",
  description_zh: "",
  unit: null,
  kind: "number",
  value: 0.003,
  started_with: 0.003,
  nullable: false,
  minimum: null,
  above: 0,
  maximum: 10,
  below: null,
  ...over,
});
const whole = value({
  ...{ name: "batch_size", kind: "integer", value: 64 },
  ...{ minimum: 1, above: null, maximum: 65_536 },
});
const clip = value({ name: "gradient_clip", value: 1, nullable: true });

it("only what was typed and differs is asked for", () => {
  const wish = wishOf([value({}), whole, clip], { learning_rate: " 1e-4 ", batch_size: "64" });
  expect(wish).toEqual({ values: { learning_rate: 0.0001 }, problems: {} });
  expect(wishOf([clip], { gradient_clip: null }).values).toEqual({ gradient_clip: null });
  expect(wishOf([value({})], { learning_rate: "" })).toEqual({ values: {}, problems: {} });
});

it("a decimal comma is a point", () => {
  expect(wishOf([value({})], { learning_rate: "0,5" }).values).toEqual({ learning_rate: 0.5 });
});

it("what cannot be is named before it is sent", () => {
  expect(wishOf([value({})], { learning_rate: "fast" }).problems).toEqual({
    learning_rate: "number",
  });
  expect(wishOf([value({})], { learning_rate: "0" }).problems).toEqual({ learning_rate: "bounds" });
  expect(wishOf([whole], { batch_size: "1.5" }).problems).toEqual({ batch_size: "whole" });
  expect(wishOf([whole], { batch_size: "0" }).problems).toEqual({ batch_size: "bounds" });
});

it("bounds say whether the edge itself is allowed", () => {
  expect(boundsText(value({}))).toBe("0 < … ≤ 10");
  expect(boundsText(value({ minimum: 0, above: null, maximum: null, below: 1 }))).toBe("0 ≤ … < 1");
  expect(boundsText(value({ above: null, maximum: null }))).toBe("");
});

it("a change reads as before and after, and as a wish before the run has answered", () => {
  const command = { values: { learning_rate: 0.0001 }, change: null } as unknown as RunCommand;
  expect(changeTexts(command, () => "off")).toEqual(["learning_rate → 1.0e-4"]);
  const done = {
    values: { gradient_clip: null },
    change: { before: { gradient_clip: 1 }, after: { gradient_clip: null } },
  } as unknown as RunCommand;
  expect(changeTexts(done, () => "off")).toEqual(["gradient_clip 1 → off"]);
  expect(writeValue("dropout", 0.25, "off")).toBe("0.25");
});
