// Looks, while a file streams by, whether all of it is there and undamaged, as far as its format tells without decoding:
// a picture that was cut off must not be found out by a training an hour later.
import { crc32 } from "node:zlib";

/** Asks for so many bytes, gets them (fewer only at the file's end), and returns what is wrong, or what must be there. */
type Reader = Generator<number, Finding, Buffer>;
/** A size: of the whole file, and the least that counts as such. */
type Finding = string | null | { readonly whole: number; readonly atLeast?: number };

const BLOCK = 16 * 1024;
const CUT_OFF = "is cut off: its end is missing";
/** What a recorder writes that never came back to fill in the length. */
const UNKNOWN_SIZES: ReadonlySet<number> = new Set([0, 0xffffffff]);

export class FileCheck {
  #reader: Reader | undefined;
  #held: Buffer[] = [];
  #numHeld = 0;
  #numBytes = 0;
  #wanted = 0;
  #finding: Finding = null;

  take(chunk: Buffer): void {
    this.#numBytes += chunk.length;
    if (this.#reader === undefined) {
      // The first bytes choose the reader; formats that it does not know are not looked at.
      this.#held.push(chunk);
      this.#numHeld += chunk.length;
      if (this.#numHeld < 12) return;
      this.#reader = readerOf(Buffer.concat(this.#held));
      this.#advance(Buffer.alloc(0));
    } else if (this.#wanted > 0) {
      this.#held.push(chunk);
      this.#numHeld += chunk.length;
    }
    this.#serve();
  }

  /** After the last byte: null, or what is wrong, as the end of a sentence that begins with the file. */
  problem(): string | null {
    while (this.#wanted > 0) this.#advance(this.#rest());
    if (this.#finding === null || typeof this.#finding === "string") return this.#finding;
    const { whole, atLeast = whole } = this.#finding;
    return this.#numBytes < atLeast
      ? `is cut off: ${this.#numBytes} of ${whole} bytes are there`
      : null;
  }

  #serve(): void {
    while (this.#wanted > 0 && this.#numHeld >= this.#wanted) {
      const all = this.#rest();
      const part = all.subarray(0, this.#wanted);
      if (part.length < all.length) this.#held = [all.subarray(this.#wanted)];
      this.#numHeld = all.length - part.length;
      this.#advance(part);
    }
    if (this.#wanted === 0) this.#held = [];
  }

  #rest(): Buffer {
    const all = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    this.#held = [];
    this.#numHeld = 0;
    return all;
  }

  #advance(part: Buffer): void {
    const step = this.#reader?.next(part);
    if (step === undefined || step.done) {
      this.#wanted = 0;
      this.#finding = step?.value ?? null;
    } else this.#wanted = step.value;
  }
}

function readerOf(head: Buffer): Reader {
  const begin = head.toString("latin1", 0, 4);
  if (begin === "\x89PNG") return readPng();
  if (begin.startsWith("\xff\xd8\xff")) return readJpeg();
  if (begin.startsWith("BM")) return readBmp();
  if (begin === "RIFF") return readRiff();
  return readNothing();
}

// biome-ignore lint/correctness/useYield: a format of which nothing is asked
function* readNothing(): Reader {
  return null;
}

/** Part by part (PNG 5.3): length, name, data, checksum, until the one named IEND. */
function* readPng(): Reader {
  yield 8;
  for (let number = 0; ; number++) {
    const head = yield 8;
    if (head.length < 8) return CUT_OFF;
    const name = head.toString("latin1", 4);
    if (number === 0 && name !== "IHDR") return "is damaged: its header is missing";
    let sum = crc32(head.subarray(4));
    let left = head.readUInt32BE(0);
    while (left > 0) {
      const part = yield Math.min(left, BLOCK);
      if (part.length === 0) return CUT_OFF;
      sum = crc32(part, sum);
      left -= part.length;
    }
    const said = yield 4;
    if (said.length < 4) return CUT_OFF;
    // Names with a small first letter are of parts that a picture can do without.
    if (/^[A-Z]/.test(name) && said.readUInt32BE(0) !== sum)
      return `is damaged: the checksum of its part ${JSON.stringify(name)} is wrong`;
    if (name === "IEND") return null;
  }
}

/** Segment by segment to where the picture begins; behind that only the end may be the mark FF D9. */
function* readJpeg(): Reader {
  yield 2;
  for (;;) {
    const head = yield 4;
    if (head.length < 4) return CUT_OFF;
    const [first, mark] = head;
    // Filled up, without a length, or unusual: the decoder's business.
    if (first !== 0xff || mark === undefined || mark === 0xff || mark < 0xc0) return null;
    if (mark >= 0xd0 && mark <= 0xd9) return null;
    let left = head.readUInt16BE(2) - 2;
    while (left > 0) {
      const part = yield Math.min(left, BLOCK);
      if (part.length === 0) return CUT_OFF;
      left -= part.length;
    }
    if (mark === 0xda) break;
  }
  let last = 0;
  for (;;) {
    const part = yield BLOCK;
    if (part.length === 0) return CUT_OFF;
    if (last === 0xff && part[0] === 0xd9) return null;
    if (part.includes("\xff\xd9", 0, "latin1")) return null;
    last = part[part.length - 1] ?? 0;
  }
}

function* readBmp(): Reader {
  const size = (yield 6).readUInt32LE(2);
  return size === 0 ? null : { whole: size };
}

/** WEBP and WAV. Some writers forget the byte that fills up the last part. */
function* readRiff(): Reader {
  const said = (yield 8).readUInt32LE(4);
  return UNKNOWN_SIZES.has(said) ? null : { whole: said + 8, atLeast: said + 8 - 1 };
}
