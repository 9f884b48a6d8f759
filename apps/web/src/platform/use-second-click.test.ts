// What is asked for twice: a click for another thing asks anew.
import { expect, it } from "vitest";
import { useSecondClick } from "./use-second-click.ts";

it("does at the second click for the same thing, and asks again afterwards", () => {
  const { asked, isSecond } = useSecondClick();
  expect(isSecond("remove 1")).toBe(false);
  expect(asked.value).toBe("remove 1");
  expect(isSecond("remove 2")).toBe(false);
  expect(isSecond("remove 2")).toBe(true);
  expect(asked.value).toBe(null);
  expect(isSecond("remove 2")).toBe(false);
});
