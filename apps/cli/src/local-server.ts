// Where the server of a data folder on this machine listens, as the server itself wrote it down.
import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";

const ServerFile = z.object({ url: z.url({ protocol: /^https?$/ }), pid: z.number().int().min(1) });

/** Undefined where no server runs, as far as the folder tells. */
export function localServerUrl(home: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(path.join(home, "server.json"), "utf8");
  } catch (error) {
    // Not there, or another user's: then the usual address is as good a guess as any.
    if (["ENOENT", "ENOTDIR", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? ""))
      return undefined;
    throw error;
  }
  const facts = ServerFile.safeParse(jsonOrNull(text));
  return facts.success && isRunning(facts.data.pid) ? facts.data.url : undefined;
}

// A server that was killed leaves its file behind.
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
