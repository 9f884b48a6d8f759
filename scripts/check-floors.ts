// Checks the laws of the house against the files: see floors.json and scripts/checks/floors.ts.
import { existsSync, readFileSync } from "node:fs";
import { type Floors, findFurnitureViolations, findImportViolations } from "./checks/floors.ts";
import { readImports } from "./checks/imports.ts";
import { findPackageViolations, readPythonImports } from "./checks/python-imports.ts";
import { listFiles, readSources, report } from "./checks/source-files.ts";

const floors = JSON.parse(readFileSync("floors.json", "utf8")) as Floors;
const inHouse = readSources([".ts", ".vue"]).filter(({ path }) => /^(packages|apps)\//.test(path));
const rooms = floors.server.storeys.flat().map((room) => {
  const file = `${floors.server.root}/domains/${room}/README.md`;
  return [room, existsSync(file) ? readFileSync(file, "utf8") : undefined] as const;
});

report([
  ...findImportViolations(readImports(inHouse), floors),
  ...findFurnitureViolations(listFiles(), new Map(rooms), floors),
  ...findPackageViolations(readPythonImports(readSources([".py"]))),
]);
