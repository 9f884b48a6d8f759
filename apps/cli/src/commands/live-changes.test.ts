import { describe, expect, it } from "vitest";
import { boundsText, parseValues } from "./live-changes.ts";

describe("values on the command line", () => {
  it("are numbers, or off, or automatic", () => {
    expect(parseValues(["eval_every_steps=automatic"])).toEqual({ eval_every_steps: null });
    expect(parseValues(["learning_rate=1e-4", "gradient_clip=off", "batch_size=64"])).toEqual({
      learning_rate: 0.0001,
      gradient_clip: null,
      batch_size: 64,
    });
  });

  it.each(["learning_rate", "=3", "learning_rate=", "learning_rate=fast", "a=1=2", "a=Infinity"])(
    "are refused as %s, with an example of what would be right",
    (text) => {
      expect(() => parseValues([text])).toThrow(/such as learning_rate=1e-4/);
    },
  );

  it("show their bounds as they are meant", () => {
    const bounds = (value: object) =>
      boundsText(value as Parameters<typeof boundsText>[0], (english) => english);
    const value = { minimum: null, above: 0, maximum: 10, below: null, nullable: false };
    expect(bounds(value)).toBe("0 < … ≤ 10");
    const other = { minimum: 0, above: null, maximum: null, below: 1, nullable: true };
    expect(bounds({ ...other, name: "gradient_clip" })).toBe("0 ≤ … < 1, off");
    expect(bounds({ ...other, name: "eval_every_steps" })).toBe("0 ≤ … < 1, automatic");
  });
});
