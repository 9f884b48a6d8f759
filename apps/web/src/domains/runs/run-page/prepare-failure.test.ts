// Python's traceback, told from lines that a program happened to write last.
import { expect, it } from "vitest";
import { holdsTraceback } from "./prepare-failure.ts";

it("knows Python's traceback, also behind other lines and of several errors at once", () => {
  expect(holdsTraceback('epoch 3\nTraceback (most recent call last):\n  File "a.py"')).toBe(true);
  expect(holdsTraceback("  + Exception Group Traceback (most recent call last):\n")).toBe(true);
});

it("takes no other lines for one", () => {
  expect(holdsTraceback("step 1\nKilled")).toBe(false);
  expect(holdsTraceback("no Traceback (most recent call last): here")).toBe(false);
});
