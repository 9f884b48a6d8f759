// What a batch is counted in is said in the recipe's own words.
import { expect, it } from "vitest";
import { z } from "zod";
import { recipes } from "./recipes.ts";

it("a language model's batch is counted in windows of its context, any other in examples", () => {
  for (const [name, { config }] of Object.entries(recipes)) {
    if (!("batch_size" in config.shape)) continue;
    const help = JSON.stringify(z.toJSONSchema(config, { io: "input" }).properties?.batch_size);
    expect(help).toContain(name === "text-lm" ? "Windows a step" : "Examples a step");
    expect(help).toContain(name === "text-lm" ? "窗口数" : "样本数");
  }
});
