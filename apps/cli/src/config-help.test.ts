// The settings in a recipe's help, in both languages.
import { expect, test } from "vitest";
import { describeSettings } from "./config-help.ts";

const english = (text: string) => text;
const chinese = (_: string, text: string) => text;

test("a recipe's help names each setting with its default and what it is for", () => {
  const help = describeSettings("vision", english);
  expect(help).toContain(
    "  epochs = 25\n      How often the training goes through all training data.",
  );
  expect(help).toContain("  max_steps\n");
  expect(help).toContain("one of: data.builtin, data.path, data.dataset_version");
  expect(help).toContain("one of: init_from.model_version, init_from.path\n");
  expect(describeSettings("vision", chinese)).toContain("遍历全部训练数据的次数。");
});

test("without a recipe that there is, nothing is said", () => {
  expect(describeSettings(undefined, english)).toBe("");
  expect(describeSettings("nonsense", english)).toBe("");
});
