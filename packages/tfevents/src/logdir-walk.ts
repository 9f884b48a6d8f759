// Finds event files below a TensorBoard log directory. The file system is handed in: node's for the
// CLI and the server, one in memory for tests.

export interface EventFileSystem {
  list(directory: string): Promise<DirectoryEntry[]>;
  stat(path: string): Promise<{ size: number }>;
  /** May give fewer bytes than asked for at the end of the file, and none behind it. */
  read(path: string, offset: number, length: number): Promise<Uint8Array>;
}

export interface DirectoryEntry {
  name: string;
  /** Links are "other" unless the file system chooses to follow them. */
  kind: "file" | "directory" | "other";
}

export interface FoundRun {
  /** Directory relative to the log directory with "/" between its parts; "." for itself. */
  run: string;
  files: string[];
}

export interface Unreadable {
  run: string;
  path: string;
  message: string;
}

/** Deeper than any real log directory; ends a walk that linked directories lead in a circle. */
const maxDirectoryDepth = 32;

/** Every directory with event files, by name; and the directories that could not be read. */
export async function walkLogdir(
  fileSystem: EventFileSystem,
  logdir: string,
): Promise<{ runs: FoundRun[]; unreadable: Unreadable[] }> {
  const runs: FoundRun[] = [];
  const unreadable: Unreadable[] = [];
  const waiting: { parts: string[] }[] = [{ parts: [] }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { parts } = next;
    const run = parts.join("/") || ".";
    const path = joinPath(logdir, ...parts);
    const entries = await listDirectory(fileSystem, path);
    if (typeof entries === "string") {
      unreadable.push({ run, path, message: entries });
      continue;
    }
    const files = entries.filter(isEventFile).map((entry) => entry.name);
    if (files.length > 0) runs.push({ run, files: files.sort() });
    if (parts.length >= maxDirectoryDepth) continue;
    for (const entry of entries) {
      if (entry.kind === "directory") waiting.push({ parts: [...parts, entry.name] });
    }
  }
  runs.sort((a, b) => (a.run < b.run ? -1 : 1));
  return { runs, unreadable };
}

export function joinPath(...parts: string[]): string {
  return parts.join("/");
}

function isEventFile(entry: DirectoryEntry): boolean {
  return entry.kind === "file" && entry.name.includes("tfevents");
}

// Directories come and go while a training runs; one that cannot be listed must not hide the others.
async function listDirectory(
  fileSystem: EventFileSystem,
  path: string,
): Promise<DirectoryEntry[] | string> {
  try {
    return await fileSystem.list(path);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
