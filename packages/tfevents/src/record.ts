// The framing of event files: length, checksum, data, checksum. Reads incrementally, so that a file
// can be followed while it grows; knows nothing of what the data mean.
import { maskedCrc32c } from "./crc32c.ts";
import { EventFileError } from "./errors.ts";

export interface TfRecord {
  /** May share memory with the bytes that were pushed: use it before reusing that buffer. */
  data: Uint8Array;
  /** Where the record begins in its file, and where the next one would. */
  offset: number;
  end: number;
}

export interface RecordBatch {
  records: TfRecord[];
  problems: EventFileError[];
}

/** No writer comes near it, so a longer record is damage; and it bounds what a reader may hold. */
export const defaultMaxRecordBytes = 256 * 1024 * 1024;

const headerBytes = 12;
const footerBytes = 4;

/** Bytes around the data of every record. */
export const framingBytes = headerBytes + footerBytes;

/**
 * Cuts a growing file into records, however its bytes arrive. A truncated last record is kept and
 * finished by a later push.
 *
 * @example
 * const reader = new RecordReader();
 * const { records, problems } = reader.push(bytes);
 * if (reader.failure) stopReading(reader.failure);
 */
export class RecordReader {
  #offset: number;
  #failure: EventFileError | null = null;
  // Kept as pieces and joined once enough has come: joining on every push would copy a long record
  // again and again.
  #pieces: Uint8Array[] = [];
  #buffered = 0;
  #needed = headerBytes;
  readonly #maxRecordBytes: number;

  /** `offset` must be the start of a record, for instance the `offset` of an earlier reader. */
  constructor(offset = 0, maxRecordBytes = defaultMaxRecordBytes) {
    this.#offset = offset;
    this.#maxRecordBytes = maxRecordBytes;
  }

  /** Where the first record begins that was not handed out yet: the place to resume from. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes of a truncated record that wait for their rest. */
  get pendingBytes(): number {
    return this.#buffered;
  }

  /** Set once the file cannot be read any further; later pushes are ignored. */
  get failure(): EventFileError | null {
    return this.#failure;
  }

  push(bytes: Uint8Array): RecordBatch {
    const batch: RecordBatch = { records: [], problems: [] };
    if (this.#failure) return batch;
    this.#pieces.push(bytes);
    this.#buffered += bytes.length;
    if (this.#buffered >= this.#needed) this.#cut(this.#join(), batch);
    else this.#keep(bytes);
    return batch;
  }

  #join(): Uint8Array {
    const [first] = this.#pieces;
    if (first && this.#pieces.length === 1) return first;
    const joined = new Uint8Array(this.#buffered);
    let position = 0;
    for (const piece of this.#pieces) {
      joined.set(piece, position);
      position += piece.length;
    }
    return joined;
  }

  #cut(bytes: Uint8Array, batch: RecordBatch): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let position = 0;
    this.#needed = headerBytes;
    while (bytes.length - position >= headerBytes) {
      const length = this.#lengthAt(view, bytes, position, batch);
      if (length === null) return;
      const size = length + framingBytes;
      if (bytes.length - position < size) {
        this.#needed = size;
        break;
      }
      const data = bytes.subarray(position + headerBytes, position + headerBytes + length);
      const expected = view.getUint32(position + headerBytes + length, true);
      this.#hand(data, expected, size, batch);
      position += size;
    }
    this.#pieces = [];
    this.#buffered = 0;
    if (position < bytes.length) this.#keepOnly(bytes.subarray(position));
  }

  #lengthAt(
    view: DataView,
    bytes: Uint8Array,
    position: number,
    batch: RecordBatch,
  ): number | null {
    const expected = view.getUint32(position + 8, true);
    if (maskedCrc32c(bytes.subarray(position, position + 8)) !== expected) {
      return this.#fail("bad-length-crc", "the checksum of a record's length is wrong", batch);
    }
    const length = view.getUint32(position, true) + view.getUint32(position + 4, true) * 2 ** 32;
    if (length > this.#maxRecordBytes) {
      const message = `a record of ${length} bytes is longer than ${this.#maxRecordBytes}`;
      return this.#fail("record-too-long", message, batch);
    }
    return length;
  }

  #hand(data: Uint8Array, expected: number, size: number, batch: RecordBatch): void {
    const offset = this.#offset;
    this.#offset += size;
    if (maskedCrc32c(data) === expected) {
      batch.records.push({ data, offset, end: this.#offset });
    } else {
      const message = `the checksum of the record at byte ${offset} is wrong`;
      batch.problems.push(new EventFileError("bad-data-crc", offset, message));
    }
  }

  #fail(code: "bad-length-crc" | "record-too-long", what: string, batch: RecordBatch): null {
    const message = `${what} at byte ${this.#offset}; the rest of the file is unreadable`;
    this.#failure = new EventFileError(code, this.#offset, message);
    batch.problems.push(this.#failure);
    this.#pieces = [];
    this.#buffered = 0;
    return null;
  }

  // Both copy, because the caller may reuse the buffer it pushed.
  #keep(bytes: Uint8Array): void {
    this.#pieces[this.#pieces.length - 1] = bytes.slice();
  }

  #keepOnly(bytes: Uint8Array): void {
    this.#pieces = [bytes.slice()];
    this.#buffered = bytes.length;
  }
}
