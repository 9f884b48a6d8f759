// One event file of a run as it was last seen, and as far as it was read.
import type { RecordReader } from "./record.ts";
import type { PointSource } from "./restarts.ts";

/** What a directory listing says about one event file. */
export interface SeenFile {
  name: string;
  size: number;
}

export interface FollowedFile extends PointSource {
  readonly records: RecordReader;
  size: number;
  /** Nothing more can be read: a length was damaged, now or before the cursor was stored. */
  dead: boolean;
}

/** Where the next bytes are to be read; beyond the last whole record if one is truncated. */
export function readOffset(file: FollowedFile): number {
  return file.records.offset + file.records.pendingBytes;
}

/**
 * Whether the file must be read again from its start. Only its size tells: a changed inode does not,
 * because tools that copy a growing file from another machine put a new one in place each time.
 */
export function hasShrunk(file: FollowedFile, size: number): boolean {
  // A dead file was not read to its end, so what counts is how long it was.
  return size < (file.dead ? file.size : readOffset(file));
}
