// Lets data be read from the server's disk only below the folders that SPOTTER_DATA_ROOTS names.
import { realpath, stat } from "node:fs/promises";
import path from "node:path";
import { pathNotAllowed, pathNotFound } from "./errors.ts";

export class DataRoots {
  readonly #roots: readonly string[];

  /** @param roots absolute folders */
  constructor(roots: readonly string[]) {
    this.#roots = roots;
  }

  /**
   * The real place of a path; a relative one is looked for in every root. Whether something outside the roots exists
   * is never told. Throws `path-not-allowed`, `path-not-found`.
   */
  async resolve(wanted: string): Promise<string> {
    if (this.#roots.length === 0)
      throw pathNotAllowed(
        "This server reads no folders: set SPOTTER_DATA_ROOTS to those that it may read.",
      );
    if (wanted.includes("\u0000")) throw pathNotFound();
    const candidates = path.isAbsolute(wanted)
      ? [path.resolve(wanted)]
      : this.#roots.map((root) => path.resolve(root, wanted));
    const allowed = candidates.filter((candidate) =>
      this.#roots.some((root) => isInside(root, candidate)),
    );
    if (allowed.length === 0) throw pathNotAllowed();
    for (const candidate of allowed) {
      const real = await realpathIfThere(candidate);
      if (real === null) continue;
      // A link may lead out of the root that it lies in.
      if (!(await this.#holds(real))) throw pathNotAllowed();
      return real;
    }
    throw pathNotFound();
  }

  /** Those that are no folders at this moment: misspelt, or a disk that is not mounted. */
  async missing(): Promise<string[]> {
    const found = await Promise.all(
      this.#roots.map(async (root) => ((await isFolder(root)) ? [] : [root])),
    );
    return found.flat();
  }

  async #holds(real: string): Promise<boolean> {
    for (const root of this.#roots) {
      const realRoot = await realpathIfThere(root);
      if (realRoot !== null && isInside(realRoot, real)) return true;
    }
    return false;
  }
}

function isInside(folder: string, candidate: string): boolean {
  const relative = path.relative(folder, candidate);
  return relative === "" || (!relative.startsWith("..") && !path.isAbsolute(relative));
}

async function isFolder(place: string): Promise<boolean> {
  const real = await realpathIfThere(place);
  return real !== null && (await stat(real)).isDirectory();
}

async function realpathIfThere(file: string): Promise<string | null> {
  try {
    return await realpath(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG" || code === "ELOOP")
      return null;
    throw error;
  }
}
