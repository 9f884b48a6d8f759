// What can be wrong with an event file. A reader reports these instead of dropping bytes silently;
// whoever follows the files decides how to tell the user.

export type EventFileErrorCode =
  /** The checksum of a record's length is wrong: nothing after it can be found, the file is dead. */
  | "bad-length-crc"
  /** A record claims more bytes than the cap allows: the file is dead. */
  | "record-too-long"
  /** One record's bytes are damaged; the record is skipped and reading goes on. */
  | "bad-data-crc"
  /** One record is intact but is not an Event as we know it; skipped. */
  | "malformed-event"
  /** A scalar that is not one number (TensorBoard calls this data loss too); skipped. */
  | "malformed-scalar";

/** A fault at one place of one event file. `offset` is where the record begins. */
export class EventFileError extends Error {
  readonly code: EventFileErrorCode;
  readonly offset: number;

  constructor(code: EventFileErrorCode, offset: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "EventFileError";
    this.code = code;
    this.offset = offset;
  }
}
