// Tests of what a single file must keep to.
import { expect, test } from "vitest";
import { findPageViolations } from "./pages.ts";

const rules = { maxLines: 5, drawers: ["utils"] };
const check = (path: string, text: string) => findPageViolations(path, text, rules);

test("an ordinary file passes, in each language", () => {
  expect(check("apps/web/src/a.ts", "// Owns a.\nexport {};\n")).toEqual([]);
  expect(check("scripts/a.mjs", "#!/usr/bin/env node\n// Does a.\n")).toEqual([]);
  expect(check("apps/web/src/A.vue", '<script setup lang="ts">\n// Shows a.\n</script>\n')).toEqual(
    [],
  );
  expect(check("worker/src/spotter_worker/a.py", '"""Owns a."""\n')).toEqual([]);
});

test("a file over the limit fails", () => {
  expect(check("apps/web/src/a.ts", `// a\n${"x;\n".repeat(5)}`)).toHaveLength(1);
});

test("a file without an opening sentence fails", () => {
  expect(check("apps/web/src/a.ts", "export {};\n")).toHaveLength(1);
});

test("a drawer fails, as a file and as a folder", () => {
  expect(check("apps/web/src/utils.ts", "// a\n")).toHaveLength(1);
  expect(check("apps/web/src/utils/a.ts", "// a\n")).toHaveLength(1);
});

test("only the settings modules read the environment", () => {
  const typescript = "// a\nconst home = process.env.HOME;\n";
  expect(check("apps/server/src/platform/log.ts", typescript)).toHaveLength(1);
  expect(check("apps/server/src/platform/settings.ts", typescript)).toEqual([]);
  expect(
    check("worker/src/spotter_worker/api.py", '"""A."""\nimport os\nos.environ["A"]\n'),
  ).toHaveLength(1);
  expect(
    check("apps/server/src/platform/log.ts", "// process.env is read in settings.ts\n"),
  ).toEqual([]);
});

test("a test that no tier would find fails", () => {
  expect(check("apps/cli/test/a.test.ts", "// Tests a.\n")).toHaveLength(1);
  expect(check("scripts/a.test.mjs", "// Tests a.\n")).toHaveLength(1);
  expect(check("examples/python/test_a.py", '"""Tests a."""\n')).toHaveLength(1);
  expect(check("apps/cli/src/a.test.ts", "// Tests a.\n")).toEqual([]);
  expect(check("worker/tests/test_a.py", '"""Tests a."""\n')).toEqual([]);
});
