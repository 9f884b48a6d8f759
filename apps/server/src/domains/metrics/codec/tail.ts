// The tail's row: one committed batch, all its series in one blob, quick to write and quick to read. Sealing turns
// these rows into packed chunks. Layout, little-endian: header of 24 bytes; times; values; steps; series ids; counts.

const VERSION = 1;
const HEADER_BYTES = 24;

/** One batch: the points of series 0, then those of series 1, and so on. */
export interface BatchColumns {
  /** Points of each series. */
  readonly counts: Uint32Array;
  readonly step: Float64Array;
  readonly time: Float64Array;
  readonly value: Float64Array;
}
export interface TailBatch extends BatchColumns {
  readonly ids: Uint32Array;
}

/** Ids are written later, with `setSeriesId`: new names get theirs inside the transaction. */
export function encodeBatch({ counts, step, time, value }: BatchColumns): Uint8Array<ArrayBuffer> {
  const numPoints = step.length;
  const base = step[0] ?? 0;
  const isNarrow = fitsInt32(step, base);
  const stepBytes = isNarrow ? 4 : 8;
  const buffer = new ArrayBuffer(HEADER_BYTES + numPoints * (16 + stepBytes) + counts.length * 8);
  const header = new DataView(buffer);
  header.setUint8(0, VERSION);
  header.setUint8(1, stepBytes);
  header.setUint32(4, counts.length, true);
  header.setUint32(8, numPoints, true);
  header.setFloat64(16, base, true);
  new Float64Array(buffer, HEADER_BYTES, numPoints).set(time);
  new Float64Array(buffer, HEADER_BYTES + numPoints * 8, numPoints).set(value);
  const stepsAt = HEADER_BYTES + numPoints * 16;
  if (isNarrow) {
    const offsets = new Int32Array(buffer, stepsAt, numPoints);
    for (let index = 0; index < numPoints; index += 1)
      offsets[index] = (step[index] as number) - base;
  } else new Float64Array(buffer, stepsAt, numPoints).set(step);
  const idsAt = stepsAt + numPoints * stepBytes;
  new Uint32Array(buffer, idsAt + counts.length * 4, counts.length).set(counts);
  return new Uint8Array(buffer);
}

/** The place where `index`'s series id is written. */
export function setSeriesId(blob: Uint8Array, index: number, id: number): void {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const numSeries = view.getUint32(4, true);
  view.setUint32(blob.byteLength - numSeries * 8 + index * 4, id, true);
}

export function decodeBatch(stored: Uint8Array): TailBatch {
  // Views of doubles need an aligned start, which neither database promises. (`slice` of a Buffer is no copy.)
  const blob = stored.byteOffset % 8 === 0 ? stored : new Uint8Array(stored);
  const header = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  if (header.getUint8(0) !== VERSION)
    throw new Error(`A tail batch has format version ${header.getUint8(0)}; known is 1.`);
  const stepBytes = header.getUint8(1);
  const numSeries = header.getUint32(4, true);
  const numPoints = header.getUint32(8, true);
  const start = blob.byteOffset + HEADER_BYTES;
  const stepsAt = start + numPoints * 16;
  const idsAt = stepsAt + numPoints * stepBytes;
  return {
    time: new Float64Array(blob.buffer, start, numPoints),
    value: new Float64Array(blob.buffer, start + numPoints * 8, numPoints),
    step:
      stepBytes === 8
        ? new Float64Array(blob.buffer, stepsAt, numPoints)
        : widen(new Int32Array(blob.buffer, stepsAt, numPoints), header.getFloat64(16, true)),
    ids: new Uint32Array(blob.buffer, idsAt, numSeries),
    counts: new Uint32Array(blob.buffer, idsAt + numSeries * 4, numSeries),
  };
}

function fitsInt32(step: Float64Array, base: number): boolean {
  for (let index = 0; index < step.length; index += 1) {
    const offset = (step[index] as number) - base;
    if (offset > 2147483647 || offset < -2147483648) return false;
  }
  return true;
}

function widen(offsets: Int32Array, base: number): Float64Array {
  const step = new Float64Array(offsets.length);
  for (let index = 0; index < offsets.length; index += 1)
    step[index] = base + (offsets[index] as number);
  return step;
}
