// The checksum of event files: CRC-32C (Castagnoli; zlib's crc32 is another polynomial), rotated and
// shifted by a constant so that a checksum stored among the bytes it covers does not cancel out.
import { crc32c as nativeCrc32c } from "@node-rs/crc32";

/** CRC-32C of the bytes, as an unsigned 32-bit number; that of "123456789" is 0xe3069283. */
export function crc32c(bytes: Uint8Array): number {
  return nativeCrc32c(bytes);
}

/** The form that stands in event files. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
