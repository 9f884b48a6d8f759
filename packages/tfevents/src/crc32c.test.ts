// The checksum against its published check value and a masked one taken from a real file.
import { expect, test } from "vitest";
import { crc32c, maskedCrc32c } from "./crc32c.ts";

test("the check value of CRC-32C is e3069283", () => {
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
});

test("the checksum of nothing is zero, and its masked form is the constant", () => {
  expect(crc32c(new Uint8Array(0))).toBe(0);
  expect(maskedCrc32c(new Uint8Array(0))).toBe(0xa282ead8);
});
