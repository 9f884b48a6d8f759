// Compares the manifests of all workspaces with the lockfile: `npm ci` refuses a clean clone in which
// they differ, long after the change that forgot one of them.

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

export interface Lockfile {
  packages: Record<string, Manifest>;
}

/** @param manifests package.json by folder; the root's folder is "" */
export function findLockfileViolations(
  manifests: ReadonlyMap<string, Manifest>,
  lockfile: Lockfile,
): string[] {
  return [...manifests].flatMap(([folder, manifest]) => {
    const locked = lockfile.packages[folder];
    const place = folder === "" ? "package.json" : `${folder}/package.json`;
    if (locked === undefined) return [`${place} is not in package-lock.json`];
    return (["dependencies", "devDependencies"] as const).flatMap((kind) => [
      ...differences(manifest[kind], locked[kind]).map(
        (name) => `${place} and package-lock.json differ in ${kind}: ${name}`,
      ),
      ...inexact(manifest[kind]).map((name) => `${place} does not pin ${name} exactly`),
    ]);
  });
}

function differences(wanted: Record<string, string> = {}, locked: Record<string, string> = {}) {
  const names = new Set([...Object.keys(wanted), ...Object.keys(locked)]);
  return [...names].filter((name) => wanted[name] !== locked[name]);
}

function inexact(wanted: Record<string, string> = {}): string[] {
  return Object.keys(wanted).filter(
    (name) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(wanted[name] ?? ""),
  );
}
