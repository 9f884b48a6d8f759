import { describe, expect, it } from "vitest";
import { parseConfig } from "./run-config.ts";

describe("a config whose fields do not go together", () => {
  it.each([
    ["vision", { processes: 1 }, "there is one; take ddp, or more processes."],
    ["vision", { processes: 2, optimizer: "adafactor" }, "optimizer adafactor; take adamw"],
    ["vision", { processes: 2, precision: "fp16" }, "precision fp16; take bf16 or fp32."],
    [
      "vision",
      { processes: 2, ewc_lambda: 10, init_from: { path: "/model" }, old_data: { path: "/old" } },
      "ewc_lambda; take ddp.",
    ],
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

  const model = { path: "/model" };
  it.each([
    [{ ewc_lambda: 10, init_from: model }, "ewc_lambda", "give init_from and old_data too"],
    [{ mutual_students: 2, init_from: model }, "mutual_students", "name it in distill_from"],
    [
      { mutual_students: 3, mutual_widths: [8, 16] },
      "mutual_widths",
      "has 2 widths for 3 students; give one each, or none",
    ],
    [{ mutual_widths: [8, 16] }, "mutual_widths", "say how many there are"],
  ])("of learning on is refused too (%o)", (fields, field, words) => {
    expect(() => parseConfig("vision", fields)).toThrow(words);
    expect(() => parseConfig("vision", fields)).toThrow(new RegExp(`^config\\.${field}: `));
  });

  it("says of a source that is missing what it may be", () => {
    const words =
      'config.data: must name one of path, dataset_version, such as {"path": "/data/flowers"}';
    expect(() => parseConfig("text-finetune", { init_from: model })).toThrow(words);
    expect(() => parseConfig("text-finetune", { data: { dataset: 3 }, init_from: model })).toThrow(
      words,
    );
  });
});
