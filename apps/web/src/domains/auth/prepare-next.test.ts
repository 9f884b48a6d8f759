// Where signing in leads, and which passwords will do.
import { expect, it } from "vitest";
import { passwordProblem, safeNext } from "./prepare-next.ts";

it("goes on to our own pages only", () => {
  expect(safeNext("/runs/42/charts?x=step")).toBe("/runs/42/charts?x=step");
  for (const bad of ["//evil.example", "https://evil.example", "/\\evil", "/sign-in", undefined])
    expect(safeNext(bad)).toBe("/");
});

it("says what is wrong with a new password", () => {
  expect(passwordProblem("ada", "short", "short")).toBe("auth.passwordShort");
  expect(passwordProblem("ada-lovelace", "Ada-Lovelace", "Ada-Lovelace")).toBe(
    "auth.passwordIsName",
  );
  expect(passwordProblem("ada", "long enough 1", "long enough 2")).toBe("auth.passwordsDiffer");
  expect(passwordProblem("ada", "long enough 1", "long enough 1")).toBeNull();
});
