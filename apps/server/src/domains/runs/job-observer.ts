// Keeps runs in step with the changes of their jobs that the server itself makes.
import type { JobObserver, QueueService } from "../queue/index.ts";
import { sentenceOf } from "../queue/index.ts";
import type { RunFeed } from "./feed.ts";
import { newestCheckpoint } from "./live-values.ts";
import type { RunsStore } from "./store.ts";
import type { WentBack } from "./went-back.ts";

export function runJobObserver(
  store: RunsStore,
  feed: RunFeed,
  queue: QueueService,
  wentBack: WentBack,
  now: () => number,
): JobObserver {
  return {
    jobsChanged: (transaction, jobIds) => store.mirrorJobs(transaction, jobIds),
    attemptLost: (transaction, { jobId, exit, lastLines }) =>
      store.updateInside(transaction, jobId, {
        error: JSON.stringify({
          kind: exit.reason ?? "process-ended",
          message: sentenceOf(exit),
          hint: "If it has saved a checkpoint, resume the run to go on from there.",
          traceback: lastLines.length === 0 ? null : lastLines.join("\n"),
        }),
      }),
    filesLost: (transaction, jobId, paths) => store.markRemoved(transaction, jobId, paths, now()),
    lastCheckpoint: async (jobId) => {
      const [files, commands] = await Promise.all([store.files(jobId), queue.commands(jobId)]);
      return newestCheckpoint(files, commands)?.path ?? null;
    },
    afterJobsChanged: (jobIds) => {
      wentBack.look(jobIds);
      for (const jobId of jobIds) feed.runTouched(jobId);
    },
  };
}
