// Clears away what a server that was killed left half done. Called before the port is open: the data folder's lock says
// that nobody else is at work here, so whatever lies in these places belongs to nobody any more.
import { readdir, rm } from "node:fs/promises";
import path from "node:path";

/** Uploads and downloads under way; contents whose hash is not known yet. */
const FOLDERS = ["tmp/uploads", "tmp/fetched", "content/incoming"];
/** Trees that were being put together beside their final name. */
const BESIDE = { folder: "datasets", ending: ".tmp" };

export async function removeLeftovers(home: string): Promise<void> {
  for (const folder of FOLDERS) await rm(path.join(home, folder), { recursive: true, force: true });
  const folder = path.join(home, BESIDE.folder);
  for (const name of await namesIn(folder))
    if (name.endsWith(BESIDE.ending))
      await rm(path.join(folder, name), { recursive: true, force: true });
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
