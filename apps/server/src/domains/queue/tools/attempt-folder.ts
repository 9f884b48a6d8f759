// The files by which server and supervisor know of each other: `<run folder>/attempts/<n>/`, laid out in worker/README.md.
import { chmod, mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { AttemptExit, type JobSpec } from "@spotter/contract";
import { z } from "zod";

const SupervisorFile = z.object({
  pid: z.number().int(),
  start_time: z.string(),
  // 0 and 1 mean our own group and everybody where a group is signalled.
  worker_pid: z.number().int().min(2).nullable(),
  worker_start_time: z.string().nullable(),
});
export type SupervisorFile = z.infer<typeof SupervisorFile>;

/** Where an attempt's files lie on this machine. */
export interface AttemptPlace {
  /** Absolute. */
  readonly runDir: string;
  readonly attempt: number;
}

/** The last part of a log is enough for its last lines. */
const TAIL_BYTES = 64 * 1024;

export function attemptFolder(place: AttemptPlace): string {
  return path.join(place.runDir, "attempts", String(place.attempt));
}

/** Others on the machine must not read the token, nor write into what the worker will run. */
export async function writeAttemptFolder(
  runDir: string,
  spec: JobSpec,
  token: string,
): Promise<void> {
  const folder = attemptFolder({ runDir, attempt: spec.attempt });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(runDir, 0o700);
  await writeBeside(path.join(folder, "token"), token);
  await writeBeside(path.join(folder, "spec.json"), JSON.stringify(spec, null, 2));
}

export async function writeStopFile(place: AttemptPlace, order: "stop" | "kill"): Promise<void> {
  const folder = attemptFolder(place);
  // The server may have died before it had made the folder.
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeBeside(path.join(folder, "stop"), order);
}

export async function readSupervisorFile(place: AttemptPlace): Promise<SupervisorFile | null> {
  const text = await readIfThere(path.join(attemptFolder(place), "supervisor.json"));
  return text === null ? null : SupervisorFile.parse(JSON.parse(text));
}

export async function readExitFile(place: AttemptPlace): Promise<AttemptExit | null> {
  const text = await readIfThere(path.join(attemptFolder(place), "exit.json"));
  return text === null ? null : AttemptExit.parse(JSON.parse(text));
}

/** What the worker wrote last; where it wrote nothing, what its supervisor complained about. */
export async function readLastLines(place: AttemptPlace, maxLines: number): Promise<string[]> {
  for (const name of ["stderr.log", "stdout.log", "supervisor.log"]) {
    const lines = await tail(path.join(attemptFolder(place), name), maxLines);
    if (lines.length > 0) return lines;
  }
  return [];
}

async function tail(file: string, maxLines: number): Promise<string[]> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - TAIL_BYTES);
    const buffer = Buffer.alloc(size - start);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    const lines = buffer.toString("utf8", 0, bytesRead).split("\n");
    return lines.filter((line) => line.trim() !== "").slice(-maxLines);
  } finally {
    await handle.close();
  }
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** A reader sees the whole file or none. */
async function writeBeside(file: string, text: string): Promise<void> {
  await writeFile(`${file}.tmp`, text, { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}
