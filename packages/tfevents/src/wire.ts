// The protobuf wire format, as much of it as event files use: a walker over the fields of a message
// and its counterpart that writes them. Knows no message.

const maxVarintBytes = 10;
const textDecoder = new TextDecoder();
const textEncoder = new TextEncoder();

/** Bytes that are not the message they should be. */
export class WireError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "WireError";
  }
}

const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/**
 * Walks over the fields of one message. After `next()` said true, read the field with exactly one
 * of the readers, or `skip()` it.
 */
export class WireReader {
  /** Number and wire type of the field at hand. */
  field = 0;
  wireType = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  next(): boolean {
    if (this.#position >= this.#bytes.length) return false;
    const key = this.#varint();
    this.field = Math.floor(key / 8);
    this.wireType = key & 7;
    if (this.field < 1) throw new WireError("a field has no number");
    return true;
  }

  /** An enum, bool or integer; negative ones travel as ten bytes of two's complement. */
  integer(): number {
    this.#expect(WireType.varint);
    return this.#varint();
  }

  double(): number {
    this.#expect(WireType.fixed64);
    return this.#double();
  }

  float(): number {
    this.#expect(WireType.fixed32);
    return this.#float();
  }

  /** A view into the message, not a copy. */
  bytes(): Uint8Array {
    this.#expect(WireType.bytes);
    const length = this.#varint();
    const start = this.#position;
    this.#advance(length);
    return this.#bytes.subarray(start, this.#position);
  }

  text(): string {
    return textDecoder.decode(this.bytes());
  }

  message(): WireReader {
    return new WireReader(this.bytes());
  }

  /** The numbers of a repeated field, which come packed or one at a time, are added to `into`. */
  numbers(of: "integer" | "float" | "double", into: number[]): void {
    if (this.wireType !== WireType.bytes) {
      into.push(this[of]());
      return;
    }
    const packed = this.message();
    while (packed.#position < packed.#bytes.length) {
      if (of === "integer") into.push(packed.#varint());
      else into.push(of === "float" ? packed.#float() : packed.#double());
    }
  }

  skip(): void {
    if (this.wireType === WireType.varint) this.#varint();
    else if (this.wireType === WireType.fixed64) this.#advance(8);
    else if (this.wireType === WireType.bytes) this.#advance(this.#varint());
    else if (this.wireType === WireType.fixed32) this.#advance(4);
    else throw new WireError(`field ${this.field} has the unknown wire type ${this.wireType}`);
  }

  #expect(wireType: number): void {
    if (this.wireType === wireType) return;
    const message = `field ${this.field} has wire type ${this.wireType} instead of ${wireType}`;
    throw new WireError(message);
  }

  #advance(count: number): void {
    const end = this.#position + count;
    if (count < 0 || end > this.#bytes.length) throw new WireError("a field ends past its message");
    this.#position = end;
  }

  #double(): number {
    this.#advance(8);
    return this.#view.getFloat64(this.#position - 8, true);
  }

  #float(): number {
    this.#advance(4);
    return this.#view.getFloat32(this.#position - 4, true);
  }

  #varint(): number {
    let value = 0;
    for (let index = 0; index < 4; index += 1) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << (7 * index);
      if (byte < 0x80) return value;
    }
    // Rare beyond 28 bits, so the plain road through bigint is good enough.
    let wide = BigInt(value);
    for (let index = 4; index < maxVarintBytes; index += 1) {
      const byte = this.#byte();
      wide |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return Number(BigInt.asIntN(64, wide));
    }
    throw new WireError("a number is longer than ten bytes");
  }

  #byte(): number {
    const byte = this.#bytes[this.#position];
    if (byte === undefined) throw new WireError("a number ends past its message");
    this.#position += 1;
    return byte;
  }
}

/** Writes the fields of one message; every method returns the writer. */
export class WireWriter {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  integer(field: number, value: number): this {
    return this.#add(varintBytes(field * 8 + WireType.varint)).#add(varintBytes(value));
  }

  double(field: number, value: number): this {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    return this.#add(varintBytes(field * 8 + WireType.fixed64)).#add(bytes);
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#add(varintBytes(field * 8 + WireType.fixed32)).#add(bytes);
  }

  bytes(field: number, value: Uint8Array): this {
    this.#add(varintBytes(field * 8 + WireType.bytes));
    return this.#add(varintBytes(value.length)).#add(value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, textEncoder.encode(value));
  }

  message(field: number, value: WireWriter): this {
    return this.bytes(field, value.finish());
  }

  finish(): Uint8Array {
    const bytes = new Uint8Array(this.#length);
    let position = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, position);
      position += piece.length;
    }
    return bytes;
  }

  #add(bytes: Uint8Array): this {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    return this;
  }
}

function varintBytes(value: number): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
