// The failures of the queue, with what each caller needs to go on.
import { SpotterError } from "../../platform/errors.ts";

export const jobNotFound = (jobId: number) =>
  new SpotterError("job-not-found", `There is no job ${jobId}.`);

export const workerTokenInvalid = () => new SpotterError("worker-token-invalid");

export const attemptSuperseded = (attempt: number, currentAttempt: number) =>
  new SpotterError(
    "attempt-superseded",
    `Attempt ${currentAttempt} has taken over; attempt ${attempt} must exit.`,
    { details: { current_attempt: currentAttempt } },
  );

export const attemptEnded = () => new SpotterError("attempt-ended");

export const sequenceGap = (seq: number, expectedSeq: number) =>
  new SpotterError(
    "sequence-gap",
    `Batch ${seq} came, but batch ${expectedSeq} is the next one; send from there on.`,
    { details: { expected_seq: expectedSeq } },
  );

export const executorUnavailable = (message?: string) =>
  new SpotterError("executor-unavailable", message);

export const jobEnded = (jobId: number, state: string) =>
  new SpotterError("job-ended", `Run ${jobId} has ended (${state}); it has no place in the queue.`);

export const jobNotWaiting = (jobId: number, state: string) =>
  new SpotterError(
    "job-not-waiting",
    `Run ${jobId} does not wait any more (${state}); it was left alone.`,
  );

export const queueOrderInvalid = (message: string) =>
  new SpotterError("queue-order-invalid", message);

export const priorityNotAllowed = (message: string) =>
  new SpotterError("priority-not-allowed", message);

export const resourcesNotThere = (message: string) =>
  new SpotterError("resources-not-there", message);
