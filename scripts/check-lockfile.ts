// Checks that package-lock.json agrees with every package.json and that versions are pinned exactly.
import { readFileSync } from "node:fs";
import path from "node:path";
import { findLockfileViolations, type Lockfile } from "./checks/lockfile.ts";
import { readSources, report } from "./checks/source-files.ts";

const manifests = readSources(["package.json"])
  .filter((file) => path.posix.basename(file.path) === "package.json")
  .map((file) => [path.posix.dirname(file.path), JSON.parse(file.text)] as const)
  .map(([folder, manifest]) => [folder === "." ? "" : folder, manifest] as const);
const lockfile = JSON.parse(readFileSync("package-lock.json", "utf8")) as Lockfile;
report(findLockfileViolations(new Map(manifests), lockfile));
