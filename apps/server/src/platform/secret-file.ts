// A random key in a file of its own that only the server's user may read; made at the first start.
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const NUM_BYTES = 32;

/**
 * @param ifLost what deleting the file means, for the sentence of a file that holds no key
 * @returns the key as hexadecimal text
 */
export function readOrMakeSecret(
  file: string,
  ifLost = "everybody must then sign in anew",
): string {
  try {
    writeFileSync(file, randomBytes(NUM_BYTES).toString("hex"), { mode: 0o600, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const secret = readFileSync(file, "utf8").trim();
  if (!/^[0-9a-f]{64}$/.test(secret))
    throw new Error(
      `${file} does not hold a key; restore it from a backup, or delete it: ${ifLost}.`,
    );
  return secret;
}
