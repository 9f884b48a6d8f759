// The door of this package: TensorBoard event files, read, followed and written.
export { crc32c, maskedCrc32c } from "./crc32c.ts";
export { EventFileError, type EventFileErrorCode } from "./errors.ts";
export {
  decodeEvent,
  type SummaryValue,
  type Tensor,
  type TfEvent,
  type ValueMetadata,
} from "./event.ts";
export {
  defaultMaxReadBytes,
  type FollowOptions,
  type LogdirCursor,
  LogdirFollower,
  type RunUpdate,
} from "./follow.ts";
export type { SeenFile } from "./followed-file.ts";
export {
  decodeHparams,
  type Experiment,
  type HparamsPayload,
  type HyperparameterValue,
  hparamsTags,
  type SessionEnd,
  type SessionStart,
  type SessionStatus,
} from "./hparams.ts";
export { type DirectoryEntry, type EventFileSystem, walkLogdir } from "./logdir-walk.ts";
export { type NodeFilePromises, nodeEventFileSystem } from "./node-file-system.ts";
export { defaultMaxRecordBytes, type RecordBatch, RecordReader, type TfRecord } from "./record.ts";
export type { FileCursor, RunCursor, TagCursor } from "./run-cursor.ts";
export type { ProblemCode, RunItem, ScalarColumns } from "./run-items.ts";
export { RunReader } from "./run-reader.ts";
export { type Reading, readValue, type ScalarPoint, scalarOfTensor } from "./scalars.ts";
export { WireError } from "./wire.ts";
export {
  EventFileWriter,
  encodeRecord,
  type ScalarStyle,
  type SessionToWrite,
} from "./writer.ts";
