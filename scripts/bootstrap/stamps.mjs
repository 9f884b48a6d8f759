// Stamps: one small file a step, written last, that says for which inputs the step is done.
// No stamp, or one for other inputs, means that the step is run (again).
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { stampFolder } from "./paths.mjs";

export function readStamp(step) {
  try {
    return JSON.parse(readFileSync(stampFile(step), "utf8"));
  } catch (error) {
    // A missing stamp is the ordinary first start; half a stamp (power cut) means the same: not done.
    if (error.code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function writeStamp(step, stamp) {
  mkdirSync(stampFolder, { recursive: true });
  const beside = `${stampFile(step)}.${process.pid}`;
  writeFileSync(beside, `${JSON.stringify(stamp, undefined, 2)}\n`);
  renameSync(beside, stampFile(step));
}

export function removeStamp(step) {
  rmSync(stampFile(step), { force: true });
}

/** A hash over names and contents of files, and of everything below folders that `keep` accepts. */
export function hashOf(base, entries, keep = (_file) => true) {
  const hash = createHash("sha256");
  for (const entry of entries) addEntry(hash, base, entry, keep);
  return hash.digest("hex");
}

function addEntry(hash, base, entry, keep) {
  const full = path.join(base, entry);
  const children = childrenOf(full);
  if (children === undefined) return addFile(hash, entry, full);
  for (const child of children) {
    const childEntry = `${entry}/${child.name}`;
    if (child.isDirectory()) addEntry(hash, base, childEntry, keep);
    else if (keep(childEntry)) addFile(hash, childEntry, path.join(full, child.name));
  }
}

function childrenOf(folder) {
  try {
    const children = readdirSync(folder, { withFileTypes: true });
    return children.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (error.code === "ENOTDIR" || error.code === "ENOENT") return undefined;
    throw error;
  }
}

function addFile(hash, name, file) {
  try {
    hash.update(`${name}\0`).update(readFileSync(file)).update("\0");
  } catch (error) {
    // An optional file that is not there is part of the fingerprint too.
    if (error.code !== "ENOENT") throw error;
    hash.update(`${name} missing\0`);
  }
}

function stampFile(step) {
  return path.join(stampFolder, `${step}.json`);
}
