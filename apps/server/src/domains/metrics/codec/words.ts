// Doubles as pairs of 32-bit words (low, high), and exact 64-bit differences of them. BigInt would read better and
// costs twenty times as much.

/** A copy as words: the bits of each double, or each safe integer as a 64-bit two's complement number. */
export function toWords(data: Float64Array, asIntegers: boolean): Uint32Array {
  if (!asIntegers) return new Uint32Array(data.slice().buffer);
  const words = new Uint32Array(data.length * 2);
  for (let index = 0; index < data.length; index += 1) {
    const value = data[index] as number;
    // Both conversions are modulo 2^32, which is what two's complement wants.
    words[2 * index] = value % 4294967296;
    words[2 * index + 1] = Math.floor(value / 4294967296);
  }
  return words;
}

export function toIntegers(words: Uint32Array): Float64Array {
  const data = new Float64Array(words.length >> 1);
  for (let index = 0; index < data.length; index += 1)
    data[index] =
      ((words[2 * index + 1] as number) | 0) * 4294967296 + (words[2 * index] as number);
  return data;
}

/** In place: the first number stays, each other becomes its difference from the one before, modulo 2^64. */
export function differences(words: Uint32Array): Uint32Array {
  let previousLow = 0;
  let previousHigh = 0;
  for (let at = 0; at < words.length; at += 2) {
    const low = words[at] as number;
    const high = words[at + 1] as number;
    words[at] = low - previousLow;
    words[at + 1] = high - previousHigh - (low < previousLow ? 1 : 0);
    previousLow = low;
    previousHigh = high;
  }
  return words;
}

/** Undoes `differences`, in place. */
export function sums(words: Uint32Array): Uint32Array {
  let low = 0;
  let high = 0;
  for (let at = 0; at < words.length; at += 2) {
    const sum = low + (words[at] as number);
    high = (high + (words[at + 1] as number) + (sum > 4294967295 ? 1 : 0)) >>> 0;
    low = sum >>> 0;
    words[at] = low;
    words[at + 1] = high;
  }
  return words;
}

/** About how many bits a number of these needs when bits that all share are free. */
export function leastBits(words: Uint32Array): number {
  let lowChanges = 0;
  let highChanges = 0;
  for (let at = 0; at < words.length; at += 2) {
    lowChanges |= (words[at] as number) ^ (words[0] as number);
    highChanges |= (words[at + 1] as number) ^ (words[1] as number);
  }
  return bitCount(lowChanges) + bitCount(highChanges);
}

function bitCount(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
