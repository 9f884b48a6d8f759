// Tests of the cycle search and of how imports are read from each kind of file.
import { describe, expect, test } from "vitest";
import { findCycles, shortestLoop } from "./cycles.ts";
import { readImports } from "./imports.ts";
import { findPackageViolations, readPythonImports } from "./python-imports.ts";

function cyclesOf(edges: Record<string, string[]>): string[][] {
  return findCycles(new Map(Object.entries(edges))).map((group) => [...group].sort());
}

describe("findCycles", () => {
  test("a tree has none", () => {
    expect(cyclesOf({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] })).toEqual([]);
  });

  test("finds two files that import each other", () => {
    expect(cyclesOf({ a: ["b"], b: ["a"] })).toEqual([["a", "b"]]);
  });

  test("finds a long detour and leaves out what only leads to it", () => {
    expect(cyclesOf({ start: ["a"], a: ["b"], b: ["c"], c: ["a", "end"] })).toEqual([
      ["a", "b", "c"],
    ]);
  });

  test("finds a file that imports itself", () => {
    expect(cyclesOf({ a: ["a"] })).toEqual([["a"]]);
  });
});

test("shortestLoop names the way round, not the whole group", () => {
  const edges = new Map([
    ["a", ["b"]],
    ["b", ["c", "a"]],
    ["c", ["a"]],
  ]);
  expect(shortestLoop(["a", "b", "c"], edges)).toEqual(["a", "b", "a"]);
});

describe("readImports", () => {
  test("sees static, type-only, lazy and re-exporting imports", () => {
    const text = `import a from "./a.ts";\nimport type { B } from "./b.ts";\nexport * from "./c.ts";\nawait import("./d.ts");\n// import "./no.ts"`;
    const found = readImports([{ path: "apps/web/src/x.ts", text }]).map((item) => item.to);
    expect(found).toEqual(["a", "b", "c", "d"].map((name) => `apps/web/src/${name}.ts`));
  });

  test("sees the scripts of Vue components", () => {
    const text = `<script setup lang="ts">\nimport Chart from "./Chart.vue";\n</script>\n<template>import "./no.ts"</template>`;
    expect(readImports([{ path: "apps/web/src/Page.vue", text }]).map((item) => item.to)).toEqual([
      "apps/web/src/Chart.vue",
    ]);
  });

  test("follows workspaces to their door and leaves packages alone", () => {
    const text = `import "@spotter/contract"; import "zod";`;
    expect(readImports([{ path: "apps/web/src/x.ts", text }]).map((item) => item.to)).toEqual([
      "packages/contract/src/index.ts",
      undefined,
    ]);
  });
});

test("readPythonImports sees absolute and relative imports, not lazy ones", () => {
  const folder = "worker/src/spotter_worker";
  const files = ["api", "loop", "recipes/__init__", "recipes/vision", "device"].map((name) => ({
    path: `${folder}/${name}.py`,
    text: "",
  }));
  const text = `from spotter_worker import api\nfrom ..loop import (\n    run,\n)\nimport json\n\ndef f():\n    from spotter_worker import device\n`;
  const vision = { path: `${folder}/recipes/vision.py`, text };
  const found = readPythonImports([...files.filter((file) => file.path !== vision.path), vision]);
  expect(found.map((item) => item.to)).toEqual([`${folder}/api.py`, `${folder}/loop.py`]);
});

test("the worker may import the package of own scripts, never the other way round", () => {
  const files = [
    { path: "sdk/src/spotter/relay.py", text: "from spotter_worker.loop import Loop\n" },
    { path: "worker/src/spotter_worker/loop.py", text: "from spotter.relay import Relay\n" },
  ];
  expect(findPackageViolations(readPythonImports(files))).toEqual([
    "sdk/src/spotter/relay.py imports spotter_worker.loop.Loop: the package is below the worker",
  ]);
});
