// Files and folders that somebody named on the command line: read, or told in one sentence why they cannot be.
import { accessSync, constants, readFileSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { UsageProblem } from "./exit-codes.ts";

/** @throws UsageProblem */
export function readGivenFile(file: string): Buffer {
  requireFile(file);
  return reading(file, () => readFileSync(file));
}

/** For a file too large to be read at once. @throws UsageProblem */
export function requireFile(file: string, hint = "give a file"): void {
  reading(file, () => {
    if (statSync(file).isDirectory())
      throw new UsageProblem(`${shown(file)} is a folder; ${hint}.`);
    accessSync(file, constants.R_OK);
  });
}

/** @returns its real path. @throws UsageProblem */
export function givenFolder(folder: string): string {
  return reading(folder, () => {
    if (!statSync(folder).isDirectory())
      throw new UsageProblem(`${shown(folder)} is a file; give a folder.`);
    accessSync(folder, constants.R_OK | constants.X_OK);
    return realpathSync(folder);
  });
}

function reading<T>(given: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UsageProblem) throw error;
    throw new UsageProblem(sentenceOf(given, error as NodeJS.ErrnoException));
  }
}

function sentenceOf(given: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return `${shown(given)} does not exist.`;
  if (code === "ENOTDIR") return `${shown(given)} does not exist: a part of it is a file.`;
  if (code === "EACCES" || code === "EPERM") return `${shown(given)}: you may not read it.`;
  return `${shown(given)} cannot be read: ${message}`;
}

/** A relative path with the place that it means: whoever stands in another folder than they think sees it. */
function shown(given: string): string {
  if (given === "") return '"" (an empty path)';
  return path.isAbsolute(given) ? given : `${given} (${path.resolve(given)})`;
}
