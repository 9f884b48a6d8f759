// Where things are in a checkout, seen from the scripts.
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const cacheFolder = path.join(root, ".cache");
export const stampFolder = path.join(cacheFolder, "bootstrap");
export const distFolder = path.join(root, "dist");
export const environmentFolder = path.join(root, ".venv");
export const environmentPython = path.join(environmentFolder, "bin", "python");

export function inRoot(...parts) {
  return path.join(root, ...parts);
}
