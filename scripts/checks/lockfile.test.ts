// Tests of comparing manifests and lockfile.
import { expect, test } from "vitest";
import { findLockfileViolations } from "./lockfile.ts";

const lockfile = { packages: { "": {}, "apps/web": { dependencies: { vue: "3.5.0" } } } };
const check = (dependencies: Record<string, string>) =>
  findLockfileViolations(new Map([["apps/web", { dependencies }]]), lockfile);

test("manifests that the lockfile knows pass", () => {
  expect(check({ vue: "3.5.0" })).toEqual([]);
});

test("a dependency that was added, changed or removed by hand fails", () => {
  expect(check({ vue: "3.5.0", pinia: "3.0.0" })).toHaveLength(1);
  expect(check({ vue: "3.5.1" })).toHaveLength(1);
  expect(check({})).toHaveLength(1);
});

test("a range fails even when the lockfile agrees", () => {
  const ranges = { packages: { "": { dependencies: { vue: "^3.5.0" } } } };
  const manifest = { dependencies: { vue: "^3.5.0" } };
  expect(findLockfileViolations(new Map([["", manifest]]), ranges)).toHaveLength(1);
});

test("a workspace that the lockfile does not know fails", () => {
  expect(findLockfileViolations(new Map([["apps/new", {}]]), lockfile)).toHaveLength(1);
});
