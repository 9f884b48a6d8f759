// Writes zip archives for tests, honest ones and malicious ones: names, attributes, flags and sizes as told.
import { crc32, deflateRawSync } from "node:zlib";

export interface ZipEntry {
  readonly name: string;
  readonly data: Uint8Array;
  readonly isDeflated?: boolean;
  /** Unix mode, such as 0o120777 for a link. */
  readonly mode?: number;
  readonly flags?: number;
  /** What the directory claims, when it lies. */
  readonly claimedSize?: number;
}

export function makeZip(entries: readonly ZipEntry[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const data = entry.isDeflated ? deflateRawSync(entry.data) : Buffer.from(entry.data);
    const fields = fieldsOf(entry, name, data);
    const local = Buffer.concat([u32(0x04034b50), fields, name, data]);
    directory.push(
      Buffer.concat([
        ...[u32(0x02014b50), u16(0x0314), fields, u16(0), u16(0), u16(0)],
        ...[u32(((entry.mode ?? 0o100644) << 16) >>> 0), u32(offset), name],
      ]),
    );
    bodies.push(local);
    offset += local.length;
  }
  const index = Buffer.concat(directory);
  const count = u16(entries.length);
  const tail = [
    u32(0x06054b50),
    u16(0),
    u16(0),
    count,
    count,
    u32(index.length),
    u32(offset),
    u16(0),
  ];
  return Buffer.concat([...bodies, index, ...tail]);
}

/** Version needed to extra length: the same in the local header and in the directory. */
function fieldsOf(entry: ZipEntry, name: Buffer, data: Buffer): Buffer {
  return Buffer.concat([
    ...[u16(20), u16((entry.flags ?? 0) | 0x800), u16(entry.isDeflated ? 8 : 0), u32(0)],
    ...[u32(crc32(entry.data)), u32(data.length), u32(entry.claimedSize ?? entry.data.length)],
    ...[u16(name.length), u16(0)],
  ]);
}

function u16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16LE(value);
  return buffer;
}

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}
