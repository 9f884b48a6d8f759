// Reads which of the worker's modules imports which, from its import lines at the left margin (a lazy
// import inside a function is how a module breaks a cycle on purpose).
import type { Import } from "./imports.ts";
import type { SourceFile } from "./source-files.ts";

const packageFolder = "worker/src/spotter_worker";
const packageName = "spotter_worker";

export function readPythonImports(files: readonly SourceFile[]): Import[] {
  const known = new Set(files.map((file) => file.path));
  return files
    .filter((file) => file.path.startsWith(`${packageFolder}/`))
    .flatMap((file) =>
      modulesOf(file).flatMap((module) => {
        const to = fileOf(module, known);
        return to === undefined ? [] : [{ from: file.path, specifier: module, to }];
      }),
    );
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
  return [...froms, ...plain].filter((module) => module.startsWith(packageName));
}

function toAbsolute(base: string, file: string): string {
  const dots = /^\.*/.exec(base)?.[0].length ?? 0;
  if (dots === 0) return base;
  const folders = file.slice("worker/src/".length).split("/").slice(0, -dots);
  return [...folders, base.slice(dots)].filter((part) => part !== "").join(".");
}

function fileOf(module: string, known: Set<string>): string | undefined {
  const parts = module.split(".");
  const candidates = [parts, parts.slice(0, -1)].flatMap((path) => {
    const stem = `worker/src/${path.join("/")}`;
    return [`${stem}.py`, `${stem}/__init__.py`];
  });
  return candidates.find((candidate) => known.has(candidate));
}
