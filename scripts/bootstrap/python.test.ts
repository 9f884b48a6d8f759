// Tests of what the search for a Python says, with programs that answer as unsuitable Pythons do.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findPython } from "./python.mjs";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "spotter-python-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function pythonThatSays(facts: object): string {
  const file = path.join(folder, "python");
  const answer = {
    version: [3, 11, 2],
    executable: "/usr/bin/python3.11",
    wide: true,
    missing: [],
    ...facts,
  };
  writeFileSync(file, `#!/bin/sh\necho '${JSON.stringify(answer)}'\n`);
  chmodSync(file, 0o755);
  return file;
}

test("a suitable Python is taken", () => {
  expect(findPython(pythonThatSays({})).versionText).toBe("3.11.2");
});

test("a Python without venv: the missing module and the fix are named", () => {
  const python = pythonThatSays({ missing: ["ensurepip"] });
  expect(() => findPython(python)).toThrow(
    /3\.11\.2.*ensurepip is missing[\s\S]*(python3-venv|SPOTTER_PYTHON)/,
  );
});

test.each([
  ["too old", { version: [3, 9, 18] }],
  ["newer than PyTorch has wheels for", { version: [3, 15, 0] }],
  ["32-bit", { wide: false }],
])("a Python that is %s: the range is named", (_name, facts) => {
  expect(() => findPython(pythonThatSays(facts))).toThrow(/Python 3\.10 to 3\.14 \(64-bit\)/);
});

test("a SPOTTER_PYTHON that is no Python is named", () => {
  expect(() => findPython(path.join(folder, "nothing"))).toThrow(
    /SPOTTER_PYTHON is set to .*nothing/,
  );
});
