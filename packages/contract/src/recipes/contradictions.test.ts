// What a config asks for that does not go together is refused with the value that would.
import { expect, it } from "vitest";
import { contradictionsOf } from "./contradictions.ts";
import { type RecipeName, recipes } from "./recipes.ts";
import { startingModelIssues } from "./starting-model.ts";

function issues(recipe: RecipeName, config: object): Record<string, string> {
  const data = ["text-classify", "audio"].includes(recipe) ? { data: { path: "x" } } : {};
  const parsed = recipes[recipe].config.parse({ ...data, ...config });
  return Object.fromEntries(contradictionsOf(parsed).map(({ path, message }) => [path, message]));
}

it("finds nothing in what every recipe has by itself", () => {
  for (const recipe of ["vision", "audio", "text-classify", "text-lm", "concept"] as const)
    expect(issues(recipe, {})).toEqual({});
});

it("names a width that the heads divide", () => {
  expect(issues("text-lm", { width: 100, heads: 3 })).toEqual({
    width: "is 100; with 3 heads it must be a multiple of 6, such as 102",
  });
  // Divided, but each head has an odd number, which cannot be turned in pairs.
  expect(issues("text-lm", { width: 20, heads: 4 })).toHaveProperty("width");
  expect(issues("text-lm", { width: 24, heads: 4, shape: "deepseek-v3" })).toEqual({
    width: "is 24; with 4 heads it must be a multiple of 16, such as 32",
  });
  expect(issues("text-classify", { width: 130 })).toEqual({
    width: "is 130; with 4 heads it must be a multiple of 4, such as 132",
  });
  expect(issues("text-classify", { mutual_students: 2, mutual_widths: [64, 66] })).toEqual({
    mutual_widths: "is 66; with 4 heads it must be a multiple of 4, such as 68",
  });
});

it("knows what the language models' modules do not have", () => {
  expect(issues("text-lm", { kv_heads: 3 }).kv_heads).toBe(
    "is 3; it must divide heads, 4: 1, 2, 4",
  );
  expect(issues("text-lm", { module: "transformers", dropout: 0.1 })).toHaveProperty("dropout");
  const experts = { shape: "deepseek-v3", kv_heads: 2, experts: 4, experts_per_token: 8 };
  expect(issues("text-lm", { ...experts, dense_layers: 5 })).toMatchObject({
    kv_heads: expect.stringContaining("leave it empty"),
    experts_per_token: "is 8; it can be at most experts, 4",
    dense_layers: "is 5; it can be at most layers, 4",
  });
});

it("refuses replay of old data that is not given, and one class alone", () => {
  expect(issues("vision", { replay_examples: 100, old_class_subset: ["1"] })).toEqual({
    replay_examples: "is about old data, and old_data is empty: name it, or leave this empty.",
    old_class_subset: "is about old data, and old_data is empty: name it, or leave this empty.",
  });
  const old_data = { builtin: "digits" };
  expect(issues("vision", { replay_examples: 100, old_data })).toEqual({});
  expect(issues("vision", { class_subset: ["7"] })).toEqual({
    class_subset: "names one class alone, 7; sorting needs at least two",
  });
  expect(issues("vision", { class_subset: ["7"], old_data })).toEqual({});
});

it("names the values of the starting model that shape its weights", () => {
  const config = recipes.vision.config.parse({ width: 32, init_from: { model_version: 3 } });
  const card = { recipe: "vision", config: { model: "cnn", width: 16, dropout: 0.5 } };
  expect(startingModelIssues("vision", config, card, "pets v2")).toEqual([
    { path: "width", message: "is 32, and the starting model pets v2 has 16; set it to 16" },
  ]);
  // Of another recipe, or without a config: the worker knows more.
  expect(startingModelIssues("vision", config, { ...card, recipe: "audio" }, "x")).toEqual([]);
  expect(startingModelIssues("vision", config, { recipe: "vision" }, "x")).toEqual([]);
  const lm = recipes["text-lm"].config.parse({ kv_heads: null, layers: 6 });
  const theirs = { recipe: "text-lm", config: { ...lm, kv_heads: 2, layers: 4, experts: 2 } };
  expect(startingModelIssues("text-lm", lm, theirs, "tales v1").map(({ path }) => path)).toEqual([
    "layers",
  ]);
});
