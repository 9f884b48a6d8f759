// Checks that README.md ends with a tree that matches the folders.
import { existsSync, readFileSync } from "node:fs";
import { listFiles, report } from "./checks/source-files.ts";
import { compareTree, readTree } from "./checks/tree.ts";

const readme = existsSync("README.md") ? readFileSync("README.md", "utf8") : "";
const tree = readTree(readme);
if (tree.length === 0) report(["README.md has no annotated tree in a fenced block"]);
else report(compareTree(tree, listFiles()));
