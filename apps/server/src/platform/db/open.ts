// Chooses the engine by the settings. PostgreSQL's client is loaded only where it is used.
import { mkdirSync } from "node:fs";
import path from "node:path";
import type { Settings } from "../settings.ts";
import type { Database, PostgresProcedure } from "./database.ts";
import { openSqlite } from "./sqlite.ts";

export interface OpenParts {
  readonly threadFile: URL;
  readonly procedures: Readonly<Record<string, PostgresProcedure>>;
  readonly onConnectionLost: (error: Error) => void;
  readonly onConnectionBack: () => void;
  readonly onWriterDeath: (error: Error) => void;
}

export async function openDatabase(settings: Settings, parts: OpenParts): Promise<Database> {
  const { databaseUrl, home, failAfterCommitOf = null } = settings;
  if (databaseUrl === undefined) {
    mkdirSync(home, { recursive: true });
    return openSqlite({ path: path.join(home, "spotter.db"), failAfterCommitOf, ...parts });
  }
  const { openPostgres } = await import("./postgres.ts");
  return openPostgres({ url: databaseUrl, failAfterCommitOf, ...parts });
}
