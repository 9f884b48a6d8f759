// Tests of reading the README's tree and of comparing it with the folders.
import { expect, test } from "vitest";
import { compareTree, readTree } from "./tree.ts";

const files = ["README.md", "packages/contract/src/index.ts", "apps/web/src/main.ts", "docs/a.md"];

const readme = `# Spotter
\`\`\`sh
npm run demo
\`\`\`
\`\`\`
docs/                 what to read
packages/
  contract/           schemas
    src/<domain>.ts   one file a domain
apps/
  web/                the pages
\`\`\`
`;

test("reads nested paths from the last block that holds a tree", () => {
  expect(readTree(readme)).toEqual([
    "docs/",
    "packages/",
    "packages/contract/",
    "packages/contract/src/<domain>.ts",
    "apps/",
    "apps/web/",
  ]);
});

test("reads flat paths and drawn branches too", () => {
  const text =
    "```\n├── packages/\n│   └── contract/  schemas\npackages/contract/src/  code\n```\n";
  expect(readTree(text)).toEqual(["packages/", "packages/contract/", "packages/contract/src/"]);
});

test("a tree that matches passes", () => {
  expect(compareTree(readTree(readme), files)).toEqual([]);
});

test("a folder that is gone fails", () => {
  expect(compareTree([...readTree(readme), "bench/"], files)).toHaveLength(1);
});

test("a folder that the tree does not name fails", () => {
  const more = [
    ...files,
    "worker/a.py",
    "apps/cli/src/main.ts",
    "apps/server/src/domains/auth/index.ts",
  ];
  expect(compareTree(readTree(readme), more)).toHaveLength(3);
});
