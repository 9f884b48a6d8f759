// Reads the event files of one run (one directory) as one stream: a state machine that is told about
// files and bytes and gives items. Does no I/O; its cursor can be stored and resumed from.
import { EventFileError, type EventFileErrorCode } from "./errors.ts";
import { decodeEvent, type SummaryValue, type TfEvent } from "./event.ts";
import { type FollowedFile, hasShrunk, readOffset, type SeenFile } from "./followed-file.ts";
import { decodeHparams } from "./hparams.ts";
import { defaultMaxRecordBytes, RecordReader, type TfRecord } from "./record.ts";
import type { RestartDetector } from "./restarts.ts";
import { type RunCursor, restoreRun, storeRun } from "./run-cursor.ts";
import { ItemCollector, type RunItem } from "./run-items.ts";
import { readValue } from "./scalars.ts";
import { WireError } from "./wire.ts";

/**
 * @example
 * const run = new RunReader();
 * deliver(run.observe([{ name: "events.out.tfevents.1", size: 1024 }]));
 * for (const name of run.fileNames()) {
 *   const unread = run.unread(name);
 *   if (unread) deliver(run.push(name, unread.offset, await read(name, unread)));
 * }
 * store(run.cursor());
 */
export class RunReader {
  readonly #files: Map<string, FollowedFile>;
  readonly #restarts: RestartDetector;
  readonly #maxRecordBytes: number;

  constructor(cursor: RunCursor | null = null, maxRecordBytes = defaultMaxRecordBytes) {
    const restored = restoreRun(cursor, maxRecordBytes);
    this.#files = restored.files;
    this.#restarts = restored.restarts;
    this.#maxRecordBytes = maxRecordBytes;
  }

  /**
   * Takes note of files that are there now, all or some. A file that shrank was cut or
   * replaced: it is reported and will be read again from its start. One that vanished needs no word.
   */
  observe(seen: readonly SeenFile[]): RunItem[] {
    const items: RunItem[] = [];
    for (const { name, size } of seen) {
      const known = this.#files.get(name);
      if (known && !hasShrunk(known, size)) {
        known.size = size;
        continue;
      }
      if (known) {
        this.#restarts.forget(known);
        items.push({ kind: "file-reset", file: name });
      }
      const records = new RecordReader(0, this.#maxRecordBytes);
      this.#files.set(name, { file: name, records, size, dead: false });
    }
    return items;
  }

  /** All files in name order, which is the order to read them in. */
  fileNames(): string[] {
    return [...this.#files.keys()].sort();
  }

  /** Which bytes of a file were not read yet, by the size that was last seen. */
  unread(name: string): { offset: number; length: number } | null {
    const file = this.#files.get(name);
    if (!file || file.dead) return null;
    const offset = readOffset(file);
    return file.size > offset ? { offset, length: file.size - offset } : null;
  }

  /** Takes bytes of a file; they must follow on those that it had before. */
  push(name: string, offset: number, bytes: Uint8Array): RunItem[] {
    const file = this.#files.get(name);
    if (!file) throw new Error(`the file ${name} was never observed`);
    if (file.dead) return [];
    if (offset !== readOffset(file)) {
      throw new Error(`${name} must be read on at byte ${readOffset(file)}, not at ${offset}`);
    }
    const collector = new ItemCollector();
    const { records, problems } = file.records.push(bytes);
    for (const record of records) this.#takeRecord(file, record, collector);
    for (const problem of problems) addProblem(file, problem, collector);
    if (file.records.failure) file.dead = true;
    return collector.finish();
  }

  /** Everything needed to go on later without giving an item twice; plain JSON. */
  cursor(): RunCursor {
    return storeRun(this.#files, this.#restarts);
  }

  #takeRecord(file: FollowedFile, record: TfRecord, collector: ItemCollector): void {
    try {
      this.#takeEvent(file, record, decodeEvent(record.data), collector);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      addProblem(file, problemAt(record, "malformed-event", error.message, error), collector);
    }
  }

  #takeEvent(file: FollowedFile, record: TfRecord, event: TfEvent, collector: ItemCollector): void {
    if (!Number.isSafeInteger(event.step)) throw new WireError(`the step ${event.step} is too far`);
    if (event.sessionLog === "start" && this.#restarts.announced(file, event.step)) {
      collector.add({ kind: "restart", file: file.file, step: event.step });
    }
    for (const value of event.values) this.#takeValue(file, record, event, value, collector);
  }

  #takeValue(
    file: FollowedFile,
    record: TfRecord,
    event: TfEvent,
    value: SummaryValue,
    collector: ItemCollector,
  ): void {
    const memory = this.#restarts.memoryOf(value.tag);
    if (value.metadata) {
      const { pluginName, dataClass } = value.metadata;
      memory.metadata = { pluginName, dataClass };
    }
    const reading = readValue(value, memory.metadata);
    if (reading.kind === "scalar") {
      if (this.#restarts.point(file, memory, event.step)) {
        collector.add({ kind: "restart", file: file.file, step: event.step });
      }
      const { step, wallTime } = event;
      collector.scalar({ tag: value.tag, step, wallTime, value: reading.value });
    } else if (reading.kind === "hparams") {
      collector.add(hparamsItem(reading.payload));
    } else if (reading.kind === "skipped") {
      collector.skipped(reading.content);
    } else {
      const message = `${value.tag}: ${reading.message}`;
      addProblem(file, problemAt(record, "malformed-scalar", message), collector);
    }
  }
}

function hparamsItem(payload: Uint8Array): RunItem {
  const decoded = decodeHparams(payload);
  switch (decoded.kind) {
    case "experiment":
      return { kind: "experiment", experiment: decoded.experiment };
    case "session-start":
      return { kind: "hparams", ...decoded.start };
    case "session-end":
      return { kind: "session-end", ...decoded.end };
    case "unknown":
      return { kind: "skipped", content: "hparams of an unknown kind", count: 1 };
  }
}

function problemAt(
  record: TfRecord,
  code: EventFileErrorCode,
  message: string,
  cause?: unknown,
): EventFileError {
  return new EventFileError(code, record.offset, message, cause);
}

function addProblem(file: FollowedFile, error: EventFileError, collector: ItemCollector): void {
  const { code, offset, message } = error;
  collector.add({ kind: "problem", file: file.file, offset, code, message });
}
