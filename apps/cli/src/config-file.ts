// What `spotter sign-in` keeps: the server and the token, in a file that only its owner may read.
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";

const Account = z.object({ server: z.string(), token: z.string(), name: z.string() });
export type Account = z.infer<typeof Account>;

export class ConfigFileProblem extends Error {}

export class ConfigFile {
  readonly path: string;

  constructor(folder: string) {
    this.path = path.join(folder, "config.json");
  }

  /** Null before the first sign-in. */
  read(): Account | null {
    let text: string;
    try {
      text = readFileSync(this.path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
    const parsed = Account.safeParse(jsonOrNull(text));
    if (parsed.success) return parsed.data;
    throw new ConfigFileProblem(`${this.path} is damaged; sign in again to write it anew.`);
  }

  write(account: Account): void {
    writePrivately(this.path, JSON.stringify(account, null, 2));
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}

/** Written beside and renamed, readable for its owner only. */
export function writePrivately(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const next = `${file}.new`;
  writeFileSync(next, text, { mode: 0o600 });
  // An old file of this name keeps its own mode when it is written to.
  chmodSync(next, 0o600);
  renameSync(next, file);
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
