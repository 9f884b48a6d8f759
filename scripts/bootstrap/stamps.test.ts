// Tests of the fingerprints that decide whether a step is due.
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hashOf } from "./stamps.mjs";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "spotter-stamps-"));
  mkdirSync(path.join(folder, "src/deep"), { recursive: true });
  writeFileSync(path.join(folder, "src/a.ts"), "a");
  writeFileSync(path.join(folder, "src/deep/b.ts"), "b");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("content decides, not the time of the last change", () => {
  const before = hashOf(folder, ["src"]);
  utimesSync(path.join(folder, "src/a.ts"), 1, 1);
  expect(hashOf(folder, ["src"])).toBe(before);
  writeFileSync(path.join(folder, "src/deep/b.ts"), "c");
  expect(hashOf(folder, ["src"])).not.toBe(before);
});

test("a file that appears, moves or vanishes changes the hash", () => {
  const before = hashOf(folder, ["src", "lock"]);
  writeFileSync(path.join(folder, "lock"), "");
  const withLock = hashOf(folder, ["src", "lock"]);
  rmSync(path.join(folder, "src/a.ts"));
  expect(new Set([before, withLock, hashOf(folder, ["src", "lock"])]).size).toBe(3);
});

test("files that are left out do not count", () => {
  const keep = (file: string) => !file.endsWith(".test.ts");
  const before = hashOf(folder, ["src"], keep);
  writeFileSync(path.join(folder, "src/a.test.ts"), "t");
  expect(hashOf(folder, ["src"], keep)).toBe(before);
});
