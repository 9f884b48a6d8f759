import { describe, expect, it } from "vitest";
import { parseConfig } from "./run-config.ts";

describe("a config whose fields do not go together", () => {
  it.each([
    ["vision", { processes: 1 }, "there is one; take ddp, or more processes."],
    ["vision", { processes: 2, optimizer: "adafactor" }, "optimizer adafactor; take adamw"],
    ["vision", { processes: 2, precision: "fp16" }, "precision fp16; take bf16 or fp32."],
    ["vision", { processes: 2, ewc_lambda: 10 }, "ewc_lambda; take ddp."],
    [
      "text-finetune",
      { processes: 2, method: "lora", data: { path: "/data" }, init_from: { path: "/model" } },
      "method lora; take ddp, or method full.",
    ],
  ] as const)("is refused before anything is queued (%s, %o)", (recipe, fields, words) => {
    const parse = (strategy: string) => parseConfig(recipe, { ...fields, strategy });
    expect(() => parse("fsdp2")).toThrow(words);
    expect(() => parse("fsdp2")).toThrow(/^config\.strategy: /);
    expect(parse("ddp")).toMatchObject({ strategy: "ddp" });
  });
});
