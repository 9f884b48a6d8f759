// Writes files into a zip as it is read, without compressing: weights do not shrink. Sizes and checksums come behind
// each file (bit 3), in 64 bits throughout, so that any size fits. Format: PKWARE APPNOTE 4.3.7–4.3.16, 4.5.3.
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";

export interface ZippedFile {
  /** Inside the archive, forward slashes. */
  readonly name: string;
  /** On the disk. */
  readonly file: string;
}

/** Version 4.5 of the format has the 64-bit fields; bit 3: sizes follow the data; bit 11: names are UTF-8. */
const VERSION = 45;
const FLAGS = 0x0808;
const UNKNOWN = 0xffff_ffff;
/** 1980-01-01: the archive of one version is the same whenever it is made. */
const DATE = 0x0021;

interface Written {
  readonly name: Buffer;
  readonly offset: bigint;
  readonly size: bigint;
  readonly checksum: number;
}

export function zipOf(files: readonly ZippedFile[]): Readable {
  return Readable.from(parts(files), { objectMode: false });
}

async function* parts(files: readonly ZippedFile[]): AsyncGenerator<Buffer> {
  const written: Written[] = [];
  let offset = 0n;
  for (const { name, file } of files) {
    const entry = { name: Buffer.from(name), offset, size: 0n, checksum: 0 };
    const head = localHeader(entry.name);
    yield head;
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      entry.checksum = crc32(chunk, entry.checksum);
      entry.size += BigInt(chunk.length);
      yield chunk;
    }
    const behind = bytes([4, 0x08074b50], [4, entry.checksum], [8, entry.size], [8, entry.size]);
    yield behind;
    offset += BigInt(head.length + behind.length) + entry.size;
    written.push(entry);
  }
  const directory = Buffer.concat(written.map(directoryEntry));
  yield directory;
  yield endOf(written.length, directory.length, offset);
}

function localHeader(name: Buffer): Buffer {
  const extra = bytes([2, 0x0001], [2, 16], [8, 0n], [8, 0n]);
  return Buffer.concat([
    bytes([4, 0x04034b50], [2, VERSION], [2, FLAGS], [2, 0], [2, 0], [2, DATE], [4, 0]),
    bytes([4, UNKNOWN], [4, UNKNOWN], [2, name.length], [2, extra.length]),
    name,
    extra,
  ]);
}

function directoryEntry({ name, offset, size, checksum }: Written): Buffer {
  const extra = bytes([2, 0x0001], [2, 24], [8, size], [8, size], [8, offset]);
  return Buffer.concat([
    bytes([4, 0x02014b50], [2, 0x0300 | VERSION], [2, VERSION], [2, FLAGS], [2, 0], [2, 0]),
    bytes([2, DATE], [4, checksum], [4, UNKNOWN], [4, UNKNOWN], [2, name.length]),
    bytes([2, extra.length], [2, 0], [2, 0], [2, 0], [4, 0o100644 * 0x10000], [4, UNKNOWN]),
    name,
    extra,
  ]);
}

function endOf(count: number, directorySize: number, directoryOffset: bigint): Buffer {
  const many = BigInt(count);
  const size = BigInt(directorySize);
  return Buffer.concat([
    bytes([4, 0x06064b50], [8, 44n], [2, VERSION], [2, VERSION], [4, 0], [4, 0]),
    bytes([8, many], [8, many], [8, size], [8, directoryOffset]),
    bytes([4, 0x07064b50], [4, 0], [8, directoryOffset + size], [4, 1]),
    bytes([4, 0x06054b50], [2, 0], [2, 0], [2, 0xffff], [2, 0xffff], [4, UNKNOWN], [4, UNKNOWN]),
    bytes([2, 0]),
  ]);
}

/** Little-endian fields, each as its width and value. */
function bytes(...fields: readonly (readonly [2 | 4, number] | readonly [8, bigint])[]): Buffer {
  const buffer = Buffer.alloc(fields.reduce((sum, [width]) => sum + width, 0));
  let at = 0;
  for (const field of fields) {
    if (field[0] === 8) buffer.writeBigUInt64LE(field[1], at);
    else if (field[0] === 4) buffer.writeUInt32LE(field[1] >>> 0, at);
    else buffer.writeUInt16LE(field[1], at);
    at += field[0];
  }
  return buffer;
}
