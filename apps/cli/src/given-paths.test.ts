// What is said of a path that cannot be read: the path itself, and what is the matter with it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { UsageProblem } from "./exit-codes.ts";
import { givenFolder, readGivenFile, requireFile } from "./given-paths.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "spotter-given-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function sentence(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof UsageProblem) return error.message;
    throw error;
  }
  throw new Error("it was read");
}

it("says that a path does not exist, and where a relative one would be", () => {
  const nowhere = path.join(folder, "nope");
  expect(sentence(() => readGivenFile(nowhere))).toBe(`${nowhere} does not exist.`);
  expect(sentence(() => requireFile(nowhere))).toBe(`${nowhere} does not exist.`);
  expect(sentence(() => givenFolder(nowhere))).toBe(`${nowhere} does not exist.`);
  expect(sentence(() => readGivenFile("nope.json"))).toBe(
    `nope.json (${path.resolve("nope.json")}) does not exist.`,
  );
  expect(sentence(() => readGivenFile(""))).toMatch(/^"" \(an empty path\) does not exist/);
});

it("says whether it is a file or a folder that was given where the other is wanted", () => {
  const file = path.join(folder, "a.txt");
  writeFileSync(file, "a");
  mkdirSync(path.join(folder, "inner"));
  expect(sentence(() => readGivenFile(folder))).toBe(`${folder} is a folder; give a file.`);
  expect(sentence(() => requireFile(folder, "zip it first"))).toMatch(
    /is a folder; zip it first\.$/,
  );
  expect(sentence(() => givenFolder(file))).toBe(`${file} is a file; give a folder.`);
  const below = path.join(file, "b");
  expect(sentence(() => readGivenFile(below))).toBe(
    `${below} does not exist: a part of it is a file.`,
  );
});

it("reads what can be read", () => {
  const file = path.join(folder, "a.txt");
  writeFileSync(file, "a");
  expect(readGivenFile(file).toString()).toBe("a");
  expect(path.basename(givenFolder(folder))).toBe(path.basename(folder));
});
