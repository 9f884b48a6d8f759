// Reads which of the Python packages' modules imports which, from its import lines at the left margin (a lazy
// import inside a function is how a module breaks a cycle on purpose).
import type { Import } from "./imports.ts";
import type { SourceFile } from "./source-files.ts";

/** The worker stands on the package; the package knows nothing of the worker. */
const roots: Readonly<Record<string, string>> = {
  spotter: "sdk/src",
  spotter_worker: "worker/src",
};

export function readPythonImports(files: readonly SourceFile[]): Import[] {
  const known = new Set(files.map((file) => file.path));
  return files
    .filter((file) => rootOf(file.path) !== undefined)
    .flatMap((file) =>
      modulesOf(file).flatMap((module) => {
        const to = fileOf(module, known);
        return to === undefined ? [] : [{ from: file.path, specifier: module, to }];
      }),
    );
}

/** What the package imports of the worker. */
export function findPackageViolations(imports: readonly Import[]): string[] {
  return imports
    .filter(({ from, to }) => from.startsWith("sdk/") && to?.startsWith("worker/"))
    .map(({ from, specifier }) => `${from} imports ${specifier}: the package is below the worker`);
}

// `from a.b import c` may mean the module a.b.c or a name in a.b; the longest that is a file counts.
function modulesOf(file: SourceFile): string[] {
  const text = file.text.replaceAll(/\(([^)]*)\)/g, (_match, body: string) =>
    body.replaceAll("\n", " "),
  );
  const froms = [...text.matchAll(/^from ([.\w]+) import (.+)$/gm)].flatMap(
    ([, base = "", names = ""]) => {
      const absolute = toAbsolute(base, file.path);
      return names
        .replace(/#.*$/, "")
        .split(",")
        .filter((name) => name.trim() !== "")
        .map((name) => `${absolute}.${name.trim().split(" ")[0]}`);
    },
  );
  const plain = [...text.matchAll(/^import ([.\w]+)/gm)].map(([, module = ""]) => module);
  return [...froms, ...plain].filter((module) => (module.split(".")[0] ?? "") in roots);
}

function rootOf(file: string): string | undefined {
  return Object.entries(roots)
    .map(([name, root]) => `${root}/${name}/`)
    .find((folder) => file.startsWith(folder));
}

function toAbsolute(base: string, file: string): string {
  const dots = /^\.*/.exec(base)?.[0].length ?? 0;
  if (dots === 0) return base;
  const inside = file.slice(file.indexOf("/src/") + "/src/".length);
  const folders = inside.split("/").slice(0, -dots);
  return [...folders, base.slice(dots)].filter((part) => part !== "").join(".");
}

function fileOf(module: string, known: Set<string>): string | undefined {
  const parts = module.split(".");
  const root = roots[parts[0] ?? ""];
  const candidates = [parts, parts.slice(0, -1)].flatMap((path) => {
    const stem = `${root}/${path.join("/")}`;
    return [`${stem}.py`, `${stem}/__init__.py`];
  });
  return candidates.find((candidate) => known.has(candidate));
}
