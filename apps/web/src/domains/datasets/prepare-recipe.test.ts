// The recipe that the form begins with.
import { expect, it } from "vitest";
import { recipeOf } from "./prepare-recipe.ts";

it("is chosen by the kind of data, and for texts by their classes and columns", () => {
  expect(recipeOf("image-folder", null)).toBe("vision");
  expect(recipeOf("audio-folder", null)).toBe("audio");
  expect(recipeOf("text", { classes: {}, columns: ["text"] })).toBe("text-lm");
  expect(recipeOf("text", { classes: {}, columns: ["messages"] })).toBe("text-finetune");
  expect(recipeOf("text", { classes: { a: 1, b: 2 }, columns: [] })).toBe("text-classify");
});
