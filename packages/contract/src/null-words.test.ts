// Every value that may be left empty while a run trains has a word of its own, and it is true of what the recipe does.
import { expect, it } from "vitest";
import { LIVE_NAMES } from "./live-values.ts";
import { nullWordOf } from "./null-words.ts";

it("knows a word for every value that may change while a run trains", () => {
  for (const name of LIVE_NAMES) expect(nullWordOf(name)).not.toBe("none");
});

it("says off where nothing happens, and automatic where the recipe chooses", () => {
  expect(["gradient_clip", "max_steps", "early_stopping_patience"].map(nullWordOf)).toEqual(
    Array(3).fill("off"),
  );
  expect(["eval_every_steps", "warmup_steps", "batch_size"].map(nullWordOf)).toEqual(
    Array(3).fill("automatic"),
  );
  expect(nullWordOf("data.path")).toBe("none");
});
