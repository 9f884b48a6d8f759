// What is to be copied when a worker tells of a file, and whether its path may be trusted. Pure.
import path from "node:path";
import type { JobFetchRow } from "./tables.ts";

export interface FetchTarget {
  /** File or folder to copy, relative to the run folder. */
  readonly root: string;
  /** The file below it (or it itself) whose SHA-256 the worker told. */
  readonly proof: string;
}

const MANIFEST = "manifest.json";
/** Of the supervisors; it is nobody's product. */
const ATTEMPTS = "attempts";

/** A checkpoint is a folder; weights come with all that stands beside them. Null: the path leads elsewhere. */
export function fetchTarget({ kind, path: told }: Pick<JobFetchRow, "kind" | "path">) {
  if (!isInside(told)) return null;
  const target = (root: string, proof: string): FetchTarget => ({ root, proof });
  if (kind === "checkpoint") return target(told, path.posix.join(told, MANIFEST));
  const folder = path.posix.dirname(told);
  return kind === "weights" && folder !== "." ? target(folder, told) : target(told, told);
}

/** A path below the run folder, spelt plainly; what others tell is never followed out of it. */
export function isInside(relative: string): boolean {
  const parts = relative.split("/");
  const isPlain = parts.every((part) => part !== "" && part !== "." && part !== "..");
  const isOdd = relative.includes("\\") || relative.includes("\u0000");
  return isPlain && !isOdd && parts[0] !== ATTEMPTS;
}
