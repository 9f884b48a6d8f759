// Makes the file system that a follower needs out of node's promise API, which the caller hands in:
// this package itself imports no I/O.
import type { EventFileSystem } from "./logdir-walk.ts";

/** As much of `node:fs/promises` as is used. */
export interface NodeFilePromises {
  readdir(path: string, options: { withFileTypes: true }): Promise<NodeEntry[]>;
  stat(path: string): Promise<{ size: number }>;
  open(path: string, flags: "r"): Promise<NodeFileHandle>;
}

interface NodeEntry {
  name: string;
  isFile(): boolean;
  isDirectory(): boolean;
}

interface NodeFileHandle {
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesRead: number }>;
  close(): Promise<void>;
}

/**
 * Does not follow links, which could lead out of the directory.
 *
 * @example
 * import * as filePromises from "node:fs/promises";
 * const fileSystem = nodeEventFileSystem(filePromises);
 */
export function nodeEventFileSystem(filePromises: NodeFilePromises): EventFileSystem {
  return {
    async list(directory) {
      const entries = await filePromises.readdir(directory, { withFileTypes: true });
      return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }));
    },
    async stat(path) {
      const { size } = await filePromises.stat(path);
      return { size };
    },
    async read(path, offset, length) {
      const handle = await filePromises.open(path, "r");
      try {
        const buffer = new Uint8Array(length);
        const { bytesRead } = await handle.read(buffer, 0, length, offset);
        return buffer.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    },
  };
}

function kindOf(entry: NodeEntry): "file" | "directory" | "other" {
  if (entry.isFile()) return "file";
  return entry.isDirectory() ? "directory" : "other";
}
