// Passwords: argon2id with the library's parameters (19 MiB, 2 passes, OWASP's minimum), and the rule for new ones.
import { hash, verify } from "@node-rs/argon2";
import { SpotterError } from "../../platform/errors.ts";

const MIN_LENGTH = 10;

export function hashPassword(password: string): Promise<string> {
  return hash(password);
}

/** Takes as long for an unknown account as for a wrong password, so that names cannot be probed by the clock. */
export async function passwordMatches(
  storedHash: string | undefined,
  password: string,
): Promise<boolean> {
  const matches = await verify(storedHash ?? (await unknownAccountHash()), password);
  return matches && storedHash !== undefined;
}

/** @throws SpotterError `password-weak` */
export function checkNewPassword(password: string, name: string): void {
  if (password.length >= MIN_LENGTH && password.toLowerCase() !== name.toLowerCase()) return;
  throw new SpotterError("password-weak");
}

let unknownHash: Promise<string> | undefined;

function unknownAccountHash(): Promise<string> {
  unknownHash ??= hashPassword("no account has this password");
  return unknownHash;
}
