// The form of a new training: fields from the schema, config from the fields.
import { type Recipe, recipes, VisionConfig } from "@spotter/contract";
import { expect, it } from "vitest";
import { z } from "zod";
import {
  differencesOf,
  inForce,
  problemOf,
  problemsOf,
  readJson,
  readNumber,
  writeValue,
} from "./prepare-config.ts";
import { defaultsOf, type FormField, fieldsOf, isFound, sectionsOf } from "./prepare-fields.ts";

const { config, ...words } = recipes.vision;
const recipe: Recipe = {
  ...words,
  name: "vision",
  config_schema: z.toJSONSchema(config, { io: "input" }) as Recipe["config_schema"],
};
const fields = fieldsOf(recipe);
const field = (key: string): FormField => {
  const found = fields.find((entry) => entry.key === key);
  if (found === undefined) throw new Error(`no field ${key}`);
  return found;
};

it("accepts exactly the defaults that the contract accepts", () => {
  const defaults = defaultsOf(fields);
  expect(problemsOf(fields, defaults).size).toBe(0);
  expect(VisionConfig.parse(defaults)).toEqual(VisionConfig.parse({}));
});

it("says what is wrong with a value, by its bounds", () => {
  expect(problemOf(field("learning_rate"), 0)).toMatchObject({ key: "newRun.problems.above" });
  expect(problemOf(field("learning_rate"), "fast")).toMatchObject({
    key: "newRun.problems.number",
  });
  expect(problemOf(field("epochs"), 1.5)).toMatchObject({ key: "newRun.problems.integer" });
  expect(problemOf(field("test_fraction"), 0.6)).toMatchObject({ values: { bound: 0.5 } });
  expect(problemOf(field("gradient_clip"), null)).toBeNull();
  expect(problemOf(field("epochs"), null)).toMatchObject({ key: "newRun.problems.missing" });
  expect(problemOf(field("data"), { path: " " })).toMatchObject({ key: "newRun.problems.path" });
  expect(problemsOf(fields, { ...defaultsOf(fields), typo: 1 }).get("typo")?.key).toBe(
    "newRun.problems.unknown",
  );
  expect(
    problemsOf(fields, { ...defaultsOf(fields), learing_rate: 1 }).get("learing_rate"),
  ).toEqual({
    key: "newRun.problems.unknownMeant",
    values: { key: "learing_rate", meant: "learning_rate" },
  });
});

it("agrees with the contract about what is wrong", () => {
  const defaults = defaultsOf(fields);
  for (const [key, value] of [
    ["learning_rate", 11],
    ["epochs", 0],
    ["step_factor", 1],
    ["augment", "wild"],
    ["batch_size", 64],
    ["dropout", 0.9],
  ] as const) {
    const changed = { ...defaults, [key]: value };
    expect([key, problemsOf(fields, changed).size === 0]).toEqual([
      key,
      VisionConfig.safeParse(changed).success,
    ]);
  }
});

it("sends only what differs, and finds fields in both languages", () => {
  const defaults = defaultsOf(fields);
  expect(differencesOf({ ...defaults, epochs: 3 }, defaults)).toEqual({ epochs: 3 });
  expect(isFound(field("learning_rate"), "学习率")).toBe(true);
  expect(isFound(field("learning_rate"), "dropout")).toBe(false);
  expect(sectionsOf(fields).map((group) => group.section)[0]).toBe("data");
});

it("reads and writes numbers as people type them", () => {
  expect(readNumber("3e-4")).toBe(0.0003);
  expect(readNumber("1,000")).toBe(1000);
  expect(readNumber("")).toBeNull();
  expect(readNumber("fast")).toBe("fast");
  expect(writeValue(0.0003)).toBe("3e-4");
  expect(writeValue(0.003)).toBe("0.003");
  expect(writeValue(null)).toBe("");
  expect(writeValue({ builtin: "digits" })).toBe("digits");
});

it("reads JSON back, and says what is wrong with it", () => {
  expect(readJson('{"epochs": 3}')).toEqual({ config: { epochs: 3 } });
  expect(readJson("[1]")).toHaveProperty("problem");
  expect(readJson("{")).toHaveProperty("problem");
});

it("knows what was in force at a step of a run that people have changed", () => {
  const change = { at: 1, by_name: "ada", reason: "why" };
  const changes = [
    { ...change, key: "learning_rate", from: 0.003, to: 0.001, from_step: 121 },
    { ...change, key: "learning_rate", from: 0.001, to: 0.0001, from_step: 301 },
  ];
  const began = { learning_rate: 0.003, epochs: 5 };
  // The checkpoint of before a change lies at the step before it.
  expect(inForce(began, changes, 120)).toEqual(began);
  expect(inForce(began, changes, 300)).toEqual({ learning_rate: 0.001, epochs: 5 });
  expect(inForce(began, changes)).toEqual({ learning_rate: 0.0001, epochs: 5 });
});
