// The stored form of how far a run was read: offsets of its files, and what must be remembered of
// its tags. Plain JSON with a version, so that the CLI and the server may keep it wherever they like.
import type { FollowedFile } from "./followed-file.ts";
import { defaultMaxRecordBytes, RecordReader } from "./record.ts";
import { RestartDetector, type TagMemory } from "./restarts.ts";

export interface RunCursor {
  version: 1;
  files: Record<string, FileCursor>;
  tags: TagCursor[];
}

export interface FileCursor {
  /** Where the first record begins that was not given yet. */
  offset: number;
  size: number;
  dead: boolean;
  restarted: boolean;
}

/** Short, because there may be a hundred thousand. Steps are null where there is none. */
export interface TagCursor {
  tag: string;
  file: string | null;
  last_step: number | null;
  earlier_last_step: number | null;
  plugin_name?: string;
  data_class?: "scalar" | "tensor" | "blob-sequence" | "unknown";
}

export function storeRun(
  files: ReadonlyMap<string, FollowedFile>,
  restarts: RestartDetector,
): RunCursor {
  const stored: [string, FileCursor][] = [];
  for (const [name, file] of files) {
    const { size, dead } = file;
    const restarted = restarts.hasRestarted(file);
    stored.push([name, { offset: file.records.offset, size, dead, restarted }]);
  }
  const tags = [...restarts.tags].map(([tag, memory]) => storeTag(tag, memory));
  return { version: 1, files: Object.fromEntries(stored), tags };
}

export function restoreRun(
  cursor: RunCursor | null,
  maxRecordBytes = defaultMaxRecordBytes,
): { files: Map<string, FollowedFile>; restarts: RestartDetector } {
  const files = new Map<string, FollowedFile>();
  if (!cursor) return { files, restarts: new RestartDetector() };
  if (cursor.version !== 1) throw new Error(`unknown cursor version ${String(cursor.version)}`);
  const restarted: FollowedFile[] = [];
  for (const [name, stored] of Object.entries(cursor.files)) {
    const { offset, size, dead } = stored;
    const records = new RecordReader(offset, maxRecordBytes);
    const file = { file: name, records, size, dead };
    files.set(name, file);
    if (stored.restarted) restarted.push(file);
  }
  const tags = cursor.tags.map((stored) => restoreTag(stored, files));
  return { files, restarts: new RestartDetector(tags, restarted) };
}

function storeTag(tag: string, memory: TagMemory): TagCursor {
  const stored: TagCursor = {
    tag,
    file: memory.source?.file ?? null,
    last_step: finiteOrNull(memory.lastStep),
    earlier_last_step: finiteOrNull(memory.earlierLastStep),
  };
  if (memory.metadata) {
    stored.plugin_name = memory.metadata.pluginName;
    stored.data_class = memory.metadata.dataClass;
  }
  return stored;
}

function restoreTag(
  stored: TagCursor,
  files: ReadonlyMap<string, FollowedFile>,
): [string, TagMemory] {
  const { plugin_name: pluginName, data_class: dataClass } = stored;
  const memory: TagMemory = {
    metadata: pluginName === undefined ? null : { pluginName, dataClass: dataClass ?? "unknown" },
    source: stored.file === null ? null : (files.get(stored.file) ?? null),
    lastStep: stored.last_step ?? Number.NEGATIVE_INFINITY,
    earlierLastStep: stored.earlier_last_step ?? Number.NEGATIVE_INFINITY,
  };
  return [stored.tag, memory];
}

// JSON has no infinity, which stands for "no step yet".
function finiteOrNull(step: number): number | null {
  return Number.isFinite(step) ? step : null;
}
