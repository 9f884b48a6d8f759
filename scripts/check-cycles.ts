// Checks that no file imports itself by any detour, in TypeScript, JavaScript, Vue and Python.
import { findCycles, shortestLoop } from "./checks/cycles.ts";
import { readImports } from "./checks/imports.ts";
import { readPythonImports } from "./checks/python-imports.ts";
import { readSources, report } from "./checks/source-files.ts";

const edges = new Map<string, string[]>();
const imports = [
  ...readImports(readSources([".ts", ".vue", ".mjs", ".cjs"])),
  ...readPythonImports(readSources([".py"])),
];
for (const { from, to } of imports) {
  if (to !== undefined) edges.set(from, [...(edges.get(from) ?? []), to]);
}
report(
  findCycles(edges).map(
    (group) =>
      `import cycle of ${group.length} files, the shortest way round: ${shortestLoop(group, edges).join(" → ")}`,
  ),
);
