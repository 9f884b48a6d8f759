// What an attempt's processes wrote last, as far as anybody can still tell.
import type { Log } from "../../platform/log.ts";
import type { AttemptHandle, Executor } from "./executor.ts";

const NUM_LAST_LINES = 50;

/** Without them an ending is told all the same. */
export async function lastLinesOf(
  executor: Executor,
  handle: AttemptHandle,
  log: Log,
): Promise<string[]> {
  try {
    return await executor.logs(handle, NUM_LAST_LINES);
  } catch (error) {
    const { jobId, attempt } = handle;
    log.warn({ error, job_id: jobId, attempt }, "An attempt's last lines could not be read.");
    return [];
  }
}
