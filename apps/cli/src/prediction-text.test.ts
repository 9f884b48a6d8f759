// What a person reads of an answer: which example it is about, and a model's own lines.
import type { Prediction } from "@spotter/contract";
import { expect, test } from "vitest";
import { predictionText } from "./prediction-text.ts";

const plain = {
  style: (_: unknown, text: string) => text,
  text: (english: string) => english,
};
const sample: Prediction = {
  ...{ input: "test:3", label: "cat", confidence: 0.75, top: [], text: null, truth: "dog" },
  ...{ thumbnail: null, picture: null, sound: null, name: null, asked: null },
};

test("a test sample is told with its place in the data and the question about it", () => {
  const picture = { ...sample, name: "dog/0003.png" };
  const question = { ...sample, name: "a.png", asked: "is it\nred?" };
  const text = predictionText([picture, question], plain);
  expect(text).toContain("label");
  expect(text).toMatch(/test:3 {2}dog\/0003\.png +cat/);
  expect(text).toContain("test:3  a.png  is it red?");
});

test("what a language model wrote keeps its lines and stands under its own heading", () => {
  const poem = { ...sample, label: null, confidence: null, truth: null, asked: "To be,\nor" };
  const text = predictionText(
    [{ ...poem, input: "To be,\nor", text: "not\nto be\u001b[2J" }],
    plain,
  );
  expect(text.split("\n")).toEqual(["input:", "To be,", "or", "text:", "not", "to be"]);
  const ofData = { ...poem, input: "test:0", name: "talk.jsonl:4", text: "yes" };
  expect(predictionText([ofData], plain).split("\n").slice(0, 3)).toEqual([
    ...["input:", "test:0", "talk.jsonl:4"],
  ]);
});
