// Checks that no file imports itself by any detour, in TypeScript, JavaScript, Vue and Python.
import { findCycles } from "./checks/cycles.ts";
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
report(findCycles(edges).map((files) => `import cycle: ${[...files].sort().join(" ↔ ")}`));
