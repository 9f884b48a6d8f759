// Writes event files that TensorBoard opens: the counterpart of the readers here. Gives bytes to
// append; where they go is the caller's business.
import { maskedCrc32c } from "./crc32c.ts";
import { type HyperparameterValue, hparamsTags, type SessionStatus } from "./hparams.ts";
import { framingBytes } from "./record.ts";
import { WireWriter } from "./wire.ts";

/** "simple" is what torch writes by default, "tensor" what TensorFlow 2 writes. */
export type ScalarStyle = "simple" | "tensor";

export interface SessionToWrite {
  hyperparameters: Record<string, number | string | boolean>;
  /** Tags that TensorBoard's table of sessions shows as columns. */
  metrics?: string[];
  groupName?: string;
  startTime?: number;
}

/**
 * One event file in the making: append what the methods return, in order.
 *
 * @example
 * const writer = new EventFileWriter();
 * append(writer.fileVersion(now));
 * append(writer.scalars({ step: 1, wallTime: now, values: { "train/loss": 0.5 } }));
 */
export class EventFileWriter {
  readonly #style: ScalarStyle;
  readonly #described = new Set<string>();

  constructor(style: ScalarStyle = "simple") {
    this.#style = style;
  }

  /** Must come first in a file. */
  fileVersion(wallTime: number): Uint8Array {
    return encodeRecord(event(wallTime, 0).text(3, "brain.Event:2").finish());
  }

  /** Values are stored as float32, the only type that every reader takes. */
  scalars(point: { step: number; wallTime: number; values: Record<string, number> }): Uint8Array {
    const summary = new WireWriter();
    for (const [tag, value] of Object.entries(point.values)) {
      summary.message(1, this.#scalar(tag, value));
    }
    return encodeRecord(event(point.wallTime, point.step).message(5, summary).finish());
  }

  /** Says that a training resumes at `step`: what earlier files have from there on is void. */
  restart(step: number, wallTime: number): Uint8Array {
    const sessionLog = new WireWriter().integer(1, 1);
    return encodeRecord(event(wallTime, step).message(7, sessionLog).finish());
  }

  sessionStart(session: SessionToWrite, wallTime: number): Uint8Array {
    const summary = new WireWriter()
      .message(1, hparamsValue(hparamsTags.experiment, 2, experiment(session)))
      .message(1, hparamsValue(hparamsTags.sessionStart, 3, sessionStart(session)));
    return encodeRecord(event(wallTime, 0).message(5, summary).finish());
  }

  sessionEnd(status: SessionStatus, wallTime: number): Uint8Array {
    const end = new WireWriter().integer(1, statusNumbers[status]).double(2, wallTime);
    const summary = new WireWriter().message(1, hparamsValue(hparamsTags.sessionEnd, 4, end));
    return encodeRecord(event(wallTime, 0).message(5, summary).finish());
  }

  #scalar(tag: string, value: number): WireWriter {
    const message = new WireWriter().text(1, tag);
    if (this.#style === "simple") return message.float(2, value);
    message.message(8, new WireWriter().integer(1, 1).message(2, new WireWriter()).float(5, value));
    if (this.#described.has(tag)) return message;
    this.#described.add(tag);
    const metadata = new WireWriter().message(1, new WireWriter().text(1, "scalars")).integer(4, 1);
    return message.message(9, metadata);
  }
}

/** Frames the data with length and checksums. */
export function encodeRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + framingBytes);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return record;
}

const statusNumbers = { unknown: 0, success: 1, failure: 2, running: 3 } as const;

function event(wallTime: number, step: number): WireWriter {
  return new WireWriter().double(1, wallTime).integer(2, step);
}

/** A value whose metadata is the payload. */
function hparamsValue(tag: string, field: number, payload: WireWriter): WireWriter {
  const content = new WireWriter().integer(1, 0).message(field, payload).finish();
  const pluginData = new WireWriter().text(1, "hparams").bytes(2, content);
  return new WireWriter().text(1, tag).message(9, new WireWriter().message(1, pluginData));
}

function experiment(session: SessionToWrite): WireWriter {
  const message = new WireWriter();
  for (const [name, value] of Object.entries(session.hyperparameters)) {
    message.message(4, new WireWriter().text(1, name).integer(4, columnType(value)));
  }
  for (const tag of session.metrics ?? []) {
    message.message(5, new WireWriter().message(1, new WireWriter().text(2, tag)));
  }
  return message;
}

function sessionStart(session: SessionToWrite): WireWriter {
  const message = new WireWriter();
  for (const [name, value] of Object.entries(session.hyperparameters)) {
    message.message(1, new WireWriter().text(1, name).message(2, anyValue(value)));
  }
  if (session.groupName) message.text(4, session.groupName);
  if (session.startTime !== undefined) message.double(5, session.startTime);
  return message;
}

function columnType(value: HyperparameterValue): number {
  if (typeof value === "string") return 1;
  return typeof value === "boolean" ? 2 : 3;
}

function anyValue(value: number | string | boolean): WireWriter {
  if (typeof value === "number") return new WireWriter().double(2, value);
  if (typeof value === "string") return new WireWriter().text(3, value);
  return new WireWriter().integer(4, value ? 1 : 0);
}
