// The recipe that the form begins with.
import { expect, it } from "vitest";
import { recipeOf } from "./prepare-recipe.ts";

const held = (columns: string[], types: string[], classes = {}) => ({
  ...{ columns, classes },
  file_types: Object.fromEntries(types.map((type) => [type, 1])),
});

it("is chosen by the kind of data, and for texts by their classes, columns and files", () => {
  expect(recipeOf("image-folder", null)).toBe("vision");
  expect(recipeOf("audio-folder", null)).toBe("audio");
  expect(recipeOf("text", held(["text"], [".jsonl"]))).toBe("text-lm");
  expect(recipeOf("text", held([], [".txt"]))).toBe("text-lm");
  expect(recipeOf("text", held(["messages"], [".jsonl"]))).toBe("text-finetune");
  expect(recipeOf("text", held([], [".txt"], { a: 1, b: 2 }))).toBe("text-classify");
});

it("of a table is never one that reads no tables: text-lm takes no CSV", () => {
  expect(recipeOf("text", held(["review", "stars"], [".csv"]))).toBe("text-classify");
  expect(recipeOf("text", held(["text"], [".tsv"]))).toBe("text-finetune");
  expect(recipeOf("text", held(["body"], [".parquet"]))).toBe("text-finetune");
});
