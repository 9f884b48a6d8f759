// Keeps runs in step with the changes of their jobs that the server itself makes.
import type { JobObserver } from "../queue/index.ts";
import { sentenceOf } from "../queue/index.ts";
import type { RunFeed } from "./feed.ts";
import type { RunsStore } from "./store.ts";

export function runJobObserver(store: RunsStore, feed: RunFeed): JobObserver {
  return {
    jobsChanged: (transaction, jobIds) => store.mirrorJobs(transaction, jobIds),
    attemptLost: (transaction, { jobId, exit, lastLines }) =>
      store.updateInside(transaction, jobId, {
        error: JSON.stringify({
          kind: exit.reason ?? "process-ended",
          message: sentenceOf(exit),
          hint: "Its last checkpoint is kept; resume the run to go on from there.",
          traceback: lastLines.length === 0 ? null : lastLines.join("\n"),
        }),
      }),
    lastCheckpoint: async (jobId) => (await store.newestFile(jobId, "checkpoint"))?.path ?? null,
    afterJobsChanged: (jobIds) => {
      for (const jobId of jobIds) feed.runTouched(jobId);
    },
  };
}
