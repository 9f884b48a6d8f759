// The fields that are read from a recipe's schema: of every recipe there is, and of every kind of field.
import { field, type Recipe, recipes, SECTIONS } from "@spotter/contract";
import { expect, it } from "vitest";
import { z } from "zod";
import { messagesOf } from "../../../platform/i18n.ts";
import { problemOf, problemsOf } from "./prepare-config.ts";
import { defaultsOf, type FormField, fieldsOf } from "./prepare-fields.ts";
import { emptySource, kindOf } from "./prepare-sources.ts";

const words = { title: "", title_zh: "", description: "", description_zh: "" };
const recipeOf = (config: z.ZodType): Recipe => ({
  ...words,
  name: "vision",
  primary_metric: "val/accuracy",
  higher_is_better: true,
  config_schema: z.toJSONSchema(config, { io: "input" }) as Recipe["config_schema"],
});
const made = <S extends z.ZodType>(schema: S) =>
  field(schema, "data", "Title", "标题", "Help.", "说明。");

const Data = z.union([
  z.object({ builtin: z.enum(["digits", "sort-of-clevr"]) }).strict(),
  z.object({ path: z.string().min(1) }).strict(),
]);
const Model = z.union([
  z.object({ model_version: z.number().int() }).strict(),
  z.object({ path: z.string().min(1) }).strict(),
  z.object({ hub: z.string().regex(/^\w+\/\w+$/), revision: z.string().optional() }).strict(),
]);
const everyKind = z.object({
  data: made(Data.default({ builtin: "digits" })),
  text_data: made(z.object({ builtin: z.literal("python-source") }).strict()),
  init_from: made(Model.nullable().default(null)),
  compile: made(z.boolean().default(false)),
  width: made(z.number().int().min(4).max(256).default(32)),
  decay: made(z.number().gt(0).lt(1).nullable().default(null)),
  model: made(z.enum(["cnn", "resnet18"]).default("cnn")),
  task: made(z.enum(["a", "b"]).nullable().default(null)),
  prompt: made(z.string().max(9).default("")),
  best_metric: made(z.string().min(1).nullable().default(null)),
  arguments: made(z.array(z.string()).default([])),
  targets: made(z.array(z.enum(["q", "v"])).default(["q"])),
  environment: made(z.record(z.string(), z.string()).default({})),
  widths: made(z.array(z.number().int()).default([])),
  betas: made(z.array(z.number()).default([0.9])),
});
const fields = fieldsOf(recipeOf(everyKind));
const named = (key: string): FormField => {
  const found = fields.find((entry) => entry.key === key);
  if (found === undefined) throw new Error(`no field ${key}`);
  return found;
};

it.each(Object.entries(recipes))("gives every property of %s a field with words", (_, recipe) => {
  const own = fieldsOf(recipeOf(recipe.config));
  expect(own.map((entry) => entry.key)).toEqual(Object.keys(recipe.config.shape));
  for (const entry of own) {
    expect([entry.key, entry.title.en === "", entry.help.en === ""]).toEqual([
      entry.key,
      false,
      false,
    ]);
    expect(entry.help.zh).toMatch(/[\u4e00-\u9fff]/);
    expect([entry.key, entry.control]).not.toEqual([entry.key, "json"]);
  }
});

it.each(Object.entries(recipes))("agrees with %s about what its defaults lack", (_, recipe) => {
  const own = fieldsOf(recipeOf(recipe.config));
  const defaults = defaultsOf(own);
  expect(problemsOf(own, defaults).size === 0).toBe(recipe.config.safeParse(defaults).success);
});

it("finds a control for every kind of field", () => {
  expect(Object.fromEntries(fields.map((entry) => [entry.key, entry.control]))).toEqual({
    data: "source",
    text_data: "source",
    init_from: "source",
    compile: "switch",
    width: "integer",
    decay: "number",
    model: "choice",
    task: "choice",
    prompt: "text",
    best_metric: "text",
    arguments: "list",
    targets: "list",
    environment: "record",
    widths: "list",
    betas: "json",
  });
  expect(named("decay")).toMatchObject({ isNullable: true, isMinimumOpen: true, maximum: 1 });
  expect(named("task")).toMatchObject({ isNullable: true, options: ["a", "b"] });
  expect(named("targets").options).toEqual(["q", "v"]);
});

it("offers exactly the sources that the schema allows", () => {
  expect(named("data").source).toMatchObject({
    kinds: ["builtin", "path"],
    builtins: ["digits", "sort-of-clevr"],
  });
  expect(named("text_data").source).toMatchObject({
    kinds: ["builtin"],
    builtins: ["python-source"],
  });
  expect(named("init_from")).toMatchObject({
    isNullable: true,
    source: { kinds: ["path", "model_version", "hub"], hasRevision: true },
  });
});

it("begins a source that is chosen, and knows when it is not named yet", () => {
  const { source, defaultValue } = named("data");
  if (source === null) throw new Error("data has no sources");
  expect(emptySource("builtin", source, defaultValue)).toEqual({ builtin: "digits" });
  expect(kindOf(emptySource("path", source, defaultValue))).toBe("path");
  const keyOf = (key: string, value: Parameters<typeof problemOf>[1]) =>
    problemOf(named(key), value)?.key ?? null;
  expect(keyOf("data", { path: "" })).toBe("newRun.problems.path");
  expect(keyOf("data", { builtin: "mnist" })).toBe("newRun.problems.choice");
  expect(keyOf("data", { hub: "a/b" })).toBe("newRun.problems.source");
  expect(keyOf("text_data", null)).toBe("newRun.problems.missing");
  expect(keyOf("init_from", null)).toBeNull();
  expect(keyOf("init_from", { model_version: "x" })).toBe("newRun.problems.model");
  expect(keyOf("init_from", { hub: "nobody" })).toBe("newRun.problems.hub");
  expect(keyOf("init_from", { hub: "a/b", revision: "main" })).toBeNull();
});

it("says what is wrong with texts, lists and names", () => {
  const keyOf = (key: string, value: Parameters<typeof problemOf>[1]) =>
    problemOf(named(key), value)?.key ?? null;
  expect(keyOf("prompt", "far too long")).toBe("newRun.problems.tooLong");
  expect(keyOf("best_metric", "")).toBe("newRun.problems.missing");
  expect(keyOf("arguments", ["--fast", "--big"])).toBeNull();
  expect(keyOf("arguments", [1])).toBe("newRun.problems.list");
  expect(keyOf("widths", [8, 16])).toBeNull();
  expect(keyOf("widths", [8, "wide"])).toBe("newRun.problems.numbers");
  expect(keyOf("targets", ["k"])).toBe("newRun.problems.choice");
  expect(keyOf("environment", { SEED: "1" })).toBeNull();
  expect(keyOf("environment", { SEED: 1 })).toBe("newRun.problems.record");
});

it("has words for every section in both languages", () => {
  for (const locale of ["en", "zh"] as const) {
    const { sections } = messagesOf(locale).newRun as { sections: Record<string, string> };
    for (const section of SECTIONS) expect([section, section in sections]).toEqual([section, true]);
  }
});
