// Lists the project's own source files (what git tracks or would track) and reads them.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

export interface SourceFile {
  /** Relative to the root, forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** Every file that is tracked or not ignored, as git sees it. */
export function listFiles(): string[] {
  const flags = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const output = execFileSync("git", flags, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  const files = output.split("\0").filter((file) => file !== "");
  return [...new Set(files)].filter((file) => existsSync(file)).sort();
}

export function readSources(endings: readonly string[]): SourceFile[] {
  return listFiles()
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .map((path) => ({ path, text: readFileSync(path, "utf8") }));
}

/** Prints each violation on its line and fails the process when there is one. */
export function report(violations: readonly string[]): void {
  for (const violation of violations) console.error(violation);
  if (violations.length > 0) process.exitCode = 1;
}
