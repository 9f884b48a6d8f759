// Where signing in leads, and which passwords will do.
import { expect, it } from "vitest";
import { newcomerHint, passwordProblem, safeNext } from "./prepare-next.ts";

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

it("speaks of accounts only where the server's registration does", () => {
  const facts = { setup_needed: false, registration: "closed" as const };
  expect(newcomerHint(facts)).toBeNull();
  expect(newcomerHint({ ...facts, registration: "invitation" })).toBe("invitation");
  expect(newcomerHint({ ...facts, registration: "open" })).toBe("register");
  expect(newcomerHint({ ...facts, setup_needed: true })).toBe("setup");
  expect(newcomerHint(null)).toBeNull();
});
