// What the terminal says of changed values, in both languages.
import { ChangeStanding } from "@spotter/contract";
import { expect, it } from "vitest";
import { configChangeText, standingWord } from "./run-words.ts";

const english = (text: string) => text;
const chinese = (_english: string, text: string) => text;
const change = {
  ...{ key: "learning_rate", from: 0.003, to: 0.001, from_step: 121, at: 5 },
  ...{ by_name: "ada", reason: "the loss jumps" },
};

it("says what was changed, from which step on, by whom and why", () => {
  expect(configChangeText(change, english)).toBe(
    "learning_rate 0.003 → 0.001 from step 121 on, ada: the loss jumps",
  );
  expect(configChangeText(change, chinese)).toBe(
    "learning_rate 0.003 → 0.001，自第 121 步起，ada：the loss jumps",
  );
  expect(configChangeText({ ...change, from: null, from_step: null, reason: null }, english)).toBe(
    "learning_rate automatic → 0.001, ada",
  );
});

it("says of an empty value what the pages say of it", () => {
  const words = { ...change, from_step: null, by_name: null, reason: null, to: null };
  expect(configChangeText({ ...words, key: "gradient_clip", from: 1 }, chinese)).toBe(
    "gradient_clip 1 → 关闭，–",
  );
  expect(configChangeText({ ...words, key: "eval_every_steps", from: 50 }, english)).toBe(
    "eval_every_steps 50 → automatic, –",
  );
});

it("has a word for every standing of a change, and none of them is a code", () => {
  for (const standing of ChangeStanding.options) {
    expect(standingWord(standing, english)).not.toContain("-");
    expect(standingWord(standing, chinese)).toMatch(/^\p{Script=Han}+$/u);
  }
});
