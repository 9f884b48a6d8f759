// Compares the annotated tree at the end of README.md with the folders that are really there.

/** Paths in the last fenced block of the README that looks like a tree: one a line, then its annotation. */
export function readTree(readme: string): string[] {
  const blocks = [...readme.matchAll(/^```[^\n]*\n([\s\S]*?)^```/gm)].map(([, body]) => body ?? "");
  const tree = blocks.reverse().find((body) => /^\W*(packages|apps)\//m.test(body));
  if (tree === undefined) return [];
  const parents: { depth: number; path: string }[] = [];
  return tree.split("\n").flatMap((line) => {
    const plain = line.replace(/[│├└─┬]/g, " ");
    const depth = plain.search(/\S/);
    if (depth < 0) return [];
    const names = (plain.trim().split(/ {2,}| #/)[0] ?? "").split(/ +(?:· +)?/);
    while (parents.length > 0 && (parents.at(-1)?.depth ?? 0) >= depth) parents.pop();
    const paths = names.map((name) => (parents.at(-1)?.path ?? "") + name);
    const [last] = paths.slice(-1);
    if (last?.endsWith("/")) parents.push({ depth, path: last });
    return paths;
  });
}

/** What the tree names and is not there, and the folders that should be named and are not. */
export function compareTree(tree: readonly string[], files: readonly string[]): string[] {
  const folders = foldersOf(files);
  const isThere = (path: string) =>
    path.endsWith("/") ? folders.has(path) : files.includes(path) || folders.has(`${path}/`);
  const gone = tree
    .filter((path) => !/[<>*…{]/.test(path) && !isThere(path))
    .map((path) => `README.md's tree names ${path}, which is not there`);
  const missing = [...folders]
    .filter((folder) => mustBeNamed(folder) && !tree.some((path) => path.startsWith(folder)))
    .map((folder) => `README.md's tree does not name ${folder}`);
  return [...gone, ...missing];
}

// Every folder at the top, every package and every app; the rooms of the server are in floors.json.
function mustBeNamed(folder: string): boolean {
  if (/^(packages|apps)\/$/.test(folder)) return false;
  return /^([^./][^/]*|packages\/[^/]+|apps\/[^/]+)\/$/.test(folder);
}

function foldersOf(files: readonly string[]): Set<string> {
  const folders = new Set<string>();
  for (const file of files) {
    for (let end = file.indexOf("/"); end >= 0; end = file.indexOf("/", end + 1)) {
      folders.add(file.slice(0, end + 1));
    }
  }
  return folders;
}
