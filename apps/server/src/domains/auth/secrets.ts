// Random secrets and their hashes. 256 bits cannot be guessed, so plain SHA-256 is enough to store them by.
import { createHash, randomBytes } from "node:crypto";

/** What the secret opens; shown as its first letters, so that a leaked one can be recognised. */
export type SecretKind = "sps" | "spt" | "spi" | "spa";

/** @returns for example `spt_…` with 43 characters of base64url: session, API token, invitation, administrator link */
export function newSecret(kind: SecretKind): string {
  return `${kind}_${randomBytes(32).toString("base64url")}`;
}

export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
