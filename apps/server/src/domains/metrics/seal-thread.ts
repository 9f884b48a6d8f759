// Entry of the sealing thread: packs chunks beside the server, at low priority, so that neither requests nor the write
// thread wait for it.
import { existsSync, readlinkSync } from "node:fs";
import os from "node:os";
import { parentPort } from "node:worker_threads";
import { performSealing, type SealingJob } from "./sealing.ts";

if (parentPort === null)
  throw new Error("seal-thread.js runs as a worker thread of the server only.");
const port = parentPort;
yieldToOthers();
port.on("message", ({ id, job }: { id: number; job: SealingJob }) => {
  try {
    const chunks = performSealing(job);
    port.postMessage({ id, chunks });
  } catch (error) {
    port.postMessage({ id, error: error instanceof Error ? error : new Error(String(error)) });
  }
});

// On Linux a thread has a number and a priority of its own; elsewhere it keeps the process's.
function yieldToOthers(): void {
  if (process.platform !== "linux" || !existsSync("/proc/thread-self")) return;
  const threadId = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  os.setPriority(threadId, os.constants.priority.PRIORITY_BELOW_NORMAL);
}
