// What data cannot be for a recipe is said with its name, what it has and what is needed.
import { describe, expect, it } from "vitest";
import { type DataHeld, dataProblem, subsetProblem } from "./data-needs.ts";
import { type RecipeName, recipes } from "./recipes.ts";

function problem(recipe: RecipeName, held: Partial<DataHeld>, config: object = {}): string | null {
  const schema = recipes[recipe].config;
  const data = { path: "x" };
  const parsed = schema.parse({ ...(recipe === "text-finetune" ? FROM : {}), data, ...config });
  const nothing = { name: "it v1", isFile: false, types: {}, tables: [], classes: null };
  return dataProblem(recipe, parsed, { ...nothing, ...held });
}
const FROM = { init_from: { hub: "owner/name" } };
const csv = (...columns: string[]) => ({
  types: { ".csv": 1 },
  tables: [{ file: "a.csv", columns }],
});
const jsonl = (...columns: string[]) => ({
  types: { ".jsonl": 1 },
  tables: [{ file: "a.jsonl", columns }],
});

describe("a language model", () => {
  it("learns from plain text and rows with its field", () => {
    expect(problem("text-lm", { types: { ".txt": 1, ".csv": 3 } })).toBeNull();
    expect(problem("text-lm", { types: { ".md": 1 } })).toBeNull();
    expect(problem("text-lm", jsonl("text", "source"))).toBeNull();
    expect(problem("text-lm", csv("text", "label"))).toBe(
      "it v1 holds .csv (1); text-lm learns from .txt, .jsonl, .md, .ndjson",
    );
    expect(problem("text-lm", jsonl("content"))).toBe(
      "a.jsonl of it v1 has the columns content; text-lm needs text: rename them, or name yours in text_field",
    );
    expect(problem("text-lm", jsonl("content"), { text_field: "content" })).toBeNull();
  });

  it("takes a single file as it is", () => {
    expect(problem("text-lm", { isFile: true, ...csv("a") })).toBeNull();
  });
});

describe("sorting texts", () => {
  it("wants both columns in every table at the top", () => {
    expect(problem("text-classify", csv("text", "label", "id"))).toBeNull();
    expect(problem("text-classify", csv("review", "stars"))).toBe(
      "a.csv of it v1 has the columns review, stars; text-classify needs text, label: rename them, or name yours in text_column, label_column",
    );
    const second = { file: "b.csv", columns: ["text"] };
    const two = { types: { ".csv": 2 }, tables: [...csv("text", "label").tables, second] };
    expect(problem("text-classify", two)).toContain("b.csv of it v1 has the columns text;");
    // What was not read is not judged.
    expect(
      problem("text-classify", {
        types: { ".csv": 1 },
        tables: [{ file: "a.csv", columns: null }],
      }),
    ).toBeNull();
  });

  it("wants one folder a class where there are no tables", () => {
    const classes = { good: 2, bad: 3 };
    expect(problem("text-classify", { types: { ".txt": 5 }, classes })).toBeNull();
    expect(problem("text-classify", { types: { ".txt": 5 }, classes: {} })).toBe(
      "it v1 holds .txt (5); text-classify learns from .csv, .tsv or .jsonl files with the columns text, label, or from one folder of .txt files a class",
    );
  });
});

describe("fine-tuning", () => {
  it("takes conversations, instructions and texts, and names all three otherwise", () => {
    for (const columns of [["messages"], ["prompt", "completion"], ["text"]])
      expect(problem("text-finetune", jsonl(...columns))).toBeNull();
    expect(problem("text-finetune", jsonl("prompt", "reply"))).toBe(
      "a.jsonl of it v1 has the columns prompt, reply; text-finetune needs messages | instruction/prompt + output/completion/response | text: rename them, or name yours in messages_column, prompt_column, answer_column, text_column",
    );
    expect(
      problem("text-finetune", jsonl("prompt", "reply"), { answer_column: "reply" }),
    ).toBeNull();
    expect(problem("text-finetune", jsonl("text"), { format: "chat" })).toContain(
      "needs messages:",
    );
    expect(problem("text-finetune", { types: { ".txt": 2 } })).toContain("holds .txt (2);");
  });

  it("judges by the first table, and by the others only where they differ from it", () => {
    const tables = [...jsonl("messages").tables, { file: "b.jsonl", columns: ["text"] }];
    expect(problem("text-finetune", { types: { ".jsonl": 2 }, tables })).toContain("b.jsonl of it");
  });
});

describe("questions about images", () => {
  it("wants its questions beside the images", () => {
    expect(problem("concept", { types: { ".png": 30 } })).toBe(
      "it v1 holds .png (30) and no questions.jsonl; concept learns from a folder with images and questions.jsonl (image, question, answer)",
    );
    const asked = (...columns: string[]) => ({ tables: [{ file: "questions.jsonl", columns }] });
    expect(problem("concept", asked("image", "question", "answer"))).toBeNull();
    expect(problem("concept", asked("image", "q"))).toContain("concept needs image, question");
  });
});

describe("folders of classes", () => {
  it("are two or more, each with files, of the recipe's kind", () => {
    const types = { ".png": 4 };
    expect(problem("vision", { types, classes: { a: 2, b: 2 } })).toBeNull();
    expect(problem("vision", { types, classes: null })).toBeNull();
    expect(problem("vision", { types: { ".wav": 4 }, classes: { a: 0, b: 0 } })).toContain(
      "it v1 holds .wav (4); vision learns from .png",
    );
    expect(problem("vision", { types, classes: { a: 4 } })).toContain(
      "has 1 folders of classes (a)",
    );
    expect(problem("vision", { types, classes: { a: 4, b: 0 } })).toContain("the class b of it v1");
  });
});

it("names the classes that a subset asks for and the data lacks", () => {
  expect(subsetProblem(["a"], "it v1", ["a", "b"])).toBeNull();
  expect(subsetProblem([], "it v1", ["a", "b"])).toBeNull();
  expect(subsetProblem(["a", "rose"], "it v1", ["a", "b"])).toBe(
    "names rose, and it v1 has no such class; it has a, b",
  );
});
