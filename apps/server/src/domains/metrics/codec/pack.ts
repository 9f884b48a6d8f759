// Packs columns of doubles into few bytes, without loss: differences where they are smaller, then the eight bytes of
// each number apart ("shuffled"), so that bytes that never change cost nothing, noise is stored as it is, and only
// what lies between goes through deflate. Assumes a little-endian machine, as every platform of Node is.
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { differences, leastBits, sums, toIntegers, toWords } from "./words.ts";

/**
 * - `integer`: safe integers, neighbours close together (steps, counts, commit numbers).
 * - `time`: doubles that grow slowly.
 * - `value`: any doubles, NaN and infinities too; bit for bit.
 */
export type ColumnKind = "integer" | "time" | "value";
export interface Column {
  readonly kind: ColumnKind;
  readonly data: Float64Array;
}

const VERSION = 1;
const HEADER_BYTES = 16;
const IS_INTEGER = 1;
const IS_DELTA = 2;
const ZERO = 0;
const CONSTANT = 1;
const STORED = 2;
const DEFLATED = 3;
// Below this many bytes a deflate stream costs more than it saves.
const LEAST_DEFLATE_BYTES = 48;
// Runs and skewed bytes are what shuffling leaves, so run-length matching finds nearly all at a third of the time.
const DEFLATE_OPTIONS = { level: 1, strategy: constants.Z_RLE, memLevel: 8 };

/** All columns must have the same length. */
export function pack(columns: readonly Column[]): Uint8Array {
  const count = columns[0]?.data.length ?? 0;
  const plain = new ByteWriter(HEADER_BYTES + columns.length * (24 + count * 8));
  const squeezed = new ByteWriter(columns.length * count * 8);
  plain.length = HEADER_BYTES;
  for (const column of columns) packColumn(column, plain, squeezed);
  const rest = squeezed.bytes();
  const isDeflated = rest.length >= LEAST_DEFLATE_BYTES;
  const tail = isDeflated ? deflateRawSync(rest, DEFLATE_OPTIONS) : rest;
  const packed = new Uint8Array(plain.length + tail.length);
  packed.set(plain.bytes());
  packed.set(tail, plain.length);
  const header = new DataView(packed.buffer);
  header.setUint8(0, VERSION);
  header.setUint8(1, columns.length);
  header.setUint8(2, isDeflated ? 1 : 0);
  header.setUint32(4, count, true);
  header.setUint32(8, plain.length, true);
  header.setUint32(12, rest.length, true);
  return packed;
}

/** The columns in the order in which they were packed. */
export function unpack(packed: Uint8Array): Float64Array[] {
  const header = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  if (header.getUint8(0) !== VERSION)
    throw new Error(`Packed metrics have format version ${header.getUint8(0)}; known is 1.`);
  const count = header.getUint32(4, true);
  const plainLength = header.getUint32(8, true);
  const tail = packed.subarray(plainLength);
  const squeezed =
    header.getUint8(2) === 1
      ? inflateRawSync(tail, { maxOutputLength: header.getUint32(12, true) })
      : tail;
  const reader = { packed, at: HEADER_BYTES, squeezed, squeezedAt: 0 };
  return Array.from({ length: header.getUint8(1) }, () => unpackColumn(reader, count));
}

/** How many rows are packed, without unpacking them. */
export function packedCount(packed: Uint8Array): number {
  return new DataView(packed.buffer, packed.byteOffset, packed.byteLength).getUint32(4, true);
}

function packColumn({ kind, data }: Column, plain: ByteWriter, squeezed: ByteWriter): void {
  let words = toWords(data, kind === "integer");
  let flags = kind === "integer" ? IS_INTEGER : 0;
  if (data.length > 1 && (kind !== "value" || isSmaller(words))) {
    flags |= IS_DELTA;
    words = differences(words);
  }
  const bytes = new Uint8Array(words.buffer);
  const codesAt = plain.length + 1;
  plain.push(flags);
  plain.length += 2;
  // A difference needs its first number whole; it stands apart so that it spoils no constant byte.
  const first = (flags & IS_DELTA) !== 0 ? 1 : 0;
  if (first === 1) for (let plane = 0; plane < 8; plane += 1) plain.push(bytes[plane] as number);
  let codes = 0;
  for (let plane = 0; plane < 8; plane += 1)
    codes |= packPlane(bytes, first * 8 + plane, plain, squeezed) << (2 * plane);
  plain.setUint16(codesAt, codes);
}

const histogram = new Uint32Array(256);

function packPlane(bytes: Uint8Array, from: number, plain: ByteWriter, squeezed: ByteWriter) {
  if (from >= bytes.length) return ZERO;
  histogram.fill(0);
  for (let at = from; at < bytes.length; at += 8) (histogram[bytes[at] as number] as number)++;
  const count = (bytes.length - from + 7) >> 3;
  const firstByte = bytes[from] as number;
  if (histogram[firstByte] === count) {
    if (firstByte === 0) return ZERO;
    plain.push(firstByte);
    return CONSTANT;
  }
  const isNoise = bitsPerByte(count) > 7.5;
  const target = isNoise ? plain : squeezed;
  target.pushEvery(bytes, from, 8);
  return isNoise ? STORED : DEFLATED;
}

// Entropy of the histogram. Few bytes cannot show that they are noise, so small columns are always deflated.
function bitsPerByte(count: number): number {
  if (count < 1024) return 0;
  let sum = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    const times = histogram[byte] as number;
    if (times > 0) sum += times * Math.log2(times);
  }
  return Math.log2(count) - sum / count;
}

// A smooth curve is smaller as differences, a noisy one is not; a stretch from the middle tells.
function isSmaller(words: Uint32Array): boolean {
  const count = words.length >> 1;
  const from = Math.max(0, (count >> 1) - 64);
  const sample = words.subarray(from * 2, Math.min(count, from + 128) * 2);
  return leastBits(differences(sample.slice()).subarray(2)) + 2 < leastBits(sample.subarray(2));
}

interface PackReader {
  readonly packed: Uint8Array;
  at: number;
  readonly squeezed: Uint8Array;
  squeezedAt: number;
}

function unpackColumn(reader: PackReader, count: number): Float64Array {
  const { packed } = reader;
  const flags = packed[reader.at] as number;
  const codes = (packed[reader.at + 1] as number) | ((packed[reader.at + 2] as number) << 8);
  reader.at += 3;
  const words = new Uint32Array(count * 2);
  const bytes = new Uint8Array(words.buffer);
  const first = (flags & IS_DELTA) !== 0 ? 1 : 0;
  if (first === 1) {
    bytes.set(packed.subarray(reader.at, reader.at + 8));
    reader.at += 8;
  }
  for (let plane = 0; plane < 8; plane += 1)
    unpackPlane(reader, (codes >> (2 * plane)) & 3, bytes, first * 8 + plane);
  if (first === 1) sums(words);
  return (flags & IS_INTEGER) !== 0 ? toIntegers(words) : new Float64Array(words.buffer);
}

function unpackPlane(reader: PackReader, code: number, bytes: Uint8Array, from: number): void {
  if (code === ZERO) return;
  if (code === CONSTANT) {
    const byte = reader.packed[reader.at] as number;
    reader.at += 1;
    for (let at = from; at < bytes.length; at += 8) bytes[at] = byte;
    return;
  }
  const source = code === STORED ? reader.packed : reader.squeezed;
  let position = code === STORED ? reader.at : reader.squeezedAt;
  for (let at = from; at < bytes.length; at += 8) bytes[at] = source[position++] as number;
  if (code === STORED) reader.at = position;
  else reader.squeezedAt = position;
}

/** Bytes one after another in a buffer that was made large enough. */
class ByteWriter {
  length = 0;
  #bytes: Uint8Array;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  push(byte: number): void {
    this.#bytes[this.length++] = byte;
  }

  setUint16(at: number, value: number): void {
    this.#bytes[at] = value & 255;
    this.#bytes[at + 1] = value >> 8;
  }

  /** Copies one byte in `stride`. */
  pushEvery(source: Uint8Array, from: number, stride: number): void {
    let at = this.length;
    for (let position = from; position < source.length; position += stride)
      this.#bytes[at++] = source[position] as number;
    this.length = at;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}
