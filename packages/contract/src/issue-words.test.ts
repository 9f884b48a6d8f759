// What is wrong with a config, in a form's words, and which key was meant.
import { expect, it } from "vitest";
import { z } from "zod";
import { fieldIssues, issueWords, nearestName } from "./issue-words.ts";
import { VisionConfig } from "./recipes/vision.ts";

const names = Object.keys(VisionConfig.shape);
const issuesOf = (config: object) => {
  const { error } = VisionConfig.safeParse(config);
  return error === undefined ? [] : fieldIssues(error, "config", names);
};

it("speaks of bounds and types without operators", () => {
  const digits = { data: { builtin: "digits" } };
  expect(issuesOf({ ...digits, learning_rate: 11 })).toEqual([
    { path: "config.learning_rate", message: "must be at most 10" },
  ]);
  expect(issuesOf({ ...digits, epochs: 0, optimizer: "adan", batch_size: "big" })).toEqual(
    expect.arrayContaining([
      { path: "config.epochs", message: "must be at least 1" },
      { path: "config.batch_size", message: "must be of the type number, not string" },
      { path: "config.optimizer", message: expect.stringMatching(/^must be one of "[a-z]+", "/) },
    ]),
  );
  expect(issuesOf({ ...digits, epochs: 1.5 })).toEqual([
    { path: "config.epochs", message: "must be a whole number" },
  ]);
  for (const { message } of issuesOf({ learning_rate: 0, dropout: 3, tags: 1, augment: 4 }))
    expect(message).not.toMatch(/expected|[<>]=?|Invalid|Too /);
});

it("names the key that was meant, one issue for each that nobody knows", () => {
  expect(issuesOf({ lr: 1e-3, learningrate: 1e-3, wd: 0.1, zzz: 1 })).toEqual(
    ["lr", "learningrate", "wd", "zzz"].map((key) => ({
      path: `config.${key}`,
      message: {
        lr: "there is no field of this name; did you mean learning_rate?",
        learningrate: "there is no field of this name; did you mean learning_rate?",
        wd: "there is no field of this name; did you mean weight_decay?",
        zzz: "there is no field of this name",
      }[key],
    })),
  );
});

it.each([
  ["epoch", "epochs"],
  ["batchSize", "batch_size"],
  ["batch-size", "batch_size"],
  ["dorpout", "dropout"],
  ["bs", "batch_size"],
  ["smoothing", "label_smoothing"],
  ["constructor", null],
  ["", null],
])("takes %s for %s", (typed, meant) => {
  expect(nearestName(typed, names)).toBe(meant);
});

it("leaves what a schema says of its own accord", () => {
  const schema = z.string().refine(() => false, "must not hold control characters");
  expect(issueWords(schema.safeParse("a").error?.issues[0] ?? { message: "" })).toBe(
    "must not hold control characters",
  );
});
