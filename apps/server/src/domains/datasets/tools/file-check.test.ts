import { crc32, deflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { FileCheck } from "./file-check.ts";

/** In pieces of several sizes: streams cut where they like. */
function check(file: Buffer): string | null {
  const found = [1, 7, 64 * 1024].map((size) => {
    const one = new FileCheck();
    for (let start = 0; start < file.length; start += size)
      one.take(file.subarray(start, start + size));
    return one.problem();
  });
  expect(new Set(found).size).toBe(1);
  return found[0] ?? null;
}

const u32 = (value: number) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
function part(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, "latin1"), data]);
  return Buffer.concat([u32(data.length), named, u32(crc32(named))]);
}
const picture = Buffer.concat([
  Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
  part("IHDR", Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0])),
  part("tEXt", Buffer.alloc(40_000, "x")),
  part("IDAT", deflateSync(Buffer.from([0, 128]))),
  part("IEND", Buffer.alloc(0)),
]);
const thumbnail = Buffer.from([0xff, 0xe1, 0, 6, 0xff, 0xd9, 0xff, 0xd9]);
const scan = Buffer.concat([Buffer.from([0xff, 0xda, 0, 3, 1]), Buffer.alloc(30_000, 7)]);
const photo = Buffer.concat([
  ...[Buffer.from([0xff, 0xd8]), thumbnail, scan, Buffer.from([0xff, 0xd9])],
]);
const riff = (kind: string, said: number) =>
  Buffer.concat([Buffer.from("RIFF"), u32(said).reverse(), Buffer.from(kind), Buffer.alloc(20)]);

describe("a file that streams by", () => {
  it("is whole", () => {
    expect(check(picture)).toBeNull();
    expect(check(Buffer.concat([picture, Buffer.from("added by a camera")]))).toBeNull();
    expect(check(photo)).toBeNull();
    expect(check(riff("WEBP", 24))).toBeNull();
    // Of a recording that was never closed nobody knows the length.
    expect(check(riff("WAVE", 0xffffffff))).toBeNull();
    expect(check(Buffer.from("GIF89a and whatever"))).toBeNull();
    expect(check(Buffer.from("short"))).toBeNull();
  });

  it("is cut off", () => {
    for (const length of [20, 5000, picture.length - 14, picture.length - 1])
      expect(check(picture.subarray(0, length))).toContain("is cut off");
    for (const length of [12, 15, 20_000, photo.length - 1])
      expect(check(photo.subarray(0, length))).toContain("is cut off");
    expect(check(riff("WAVE", 1000))).toBe("is cut off: 32 of 1008 bytes are there");
    const bmp = Buffer.concat([Buffer.from("BM"), u32(70).reverse(), Buffer.alloc(20)]);
    expect(check(bmp)).toBe("is cut off: 26 of 70 bytes are there");
  });

  it("is damaged inside", () => {
    const bent = Buffer.from(picture);
    bent[bent.length - 20] = (bent[bent.length - 20] ?? 0) ^ 1;
    expect(check(bent)).toBe('is damaged: the checksum of its part "IDAT" is wrong');
    // A picture's remark may be what it likes.
    const remark = Buffer.from(picture);
    remark[100] = 7;
    expect(check(remark)).toBeNull();
  });
});
