// The failures of the runs room.
import type { ErrorIssue, JobState } from "@spotter/contract";
import { SpotterError } from "../../platform/errors.ts";

export const runNotFound = (runId: number) =>
  new SpotterError("run-not-found", `There is no run ${runId}.`);

export const stateConflict = (message: string, state?: JobState) =>
  new SpotterError(
    "run-state-conflict",
    message,
    state === undefined ? {} : { details: { state } },
  );

/** Its attempt is about to end: what it was told now would be lost with it. */
export const givesWay = ({ id, state }: { readonly id: number; readonly state: JobState }) =>
  stateConflict(
    `Run ${id} gives way to an urgent training and goes on by itself later; try again once it runs.`,
    state,
  );

export const configInvalid = (issues: readonly ErrorIssue[]) =>
  new SpotterError(
    "config-invalid",
    issues[0] === undefined ? undefined : `${issues[0].path}: ${issues[0].message}`,
    { details: { issues: issues.map((issue) => ({ ...issue })) } },
  );

export const forkNotPossible = (runId: number, why: "outside" | "program") =>
  new SpotterError(
    "fork-not-possible",
    why === "outside"
      ? `Run ${runId} was not trained here, so its state is not Spotter's to fork.`
      : `Run ${runId} is a program of its own: only it knows how to load its checkpoints.`,
  );

export const checkpointNotFound = (
  runId: number,
  wanted: number | string,
  steps: readonly number[],
) =>
  new SpotterError(
    "checkpoint-not-found",
    `Run ${runId} has no checkpoint ${wanted === "best" ? "that is marked best" : `of step ${wanted}`}; it has those of the steps ${steps.join(", ")}.`,
    { details: { steps: [...steps] } },
  );

export const checkpointDamaged = (step: number, problem: string) =>
  new SpotterError(
    "checkpoint-damaged",
    `The checkpoint of step ${step} is not whole: ${problem}. Fork from another one.`,
  );

export const forkChangeNotAllowed = (issues: readonly ErrorIssue[]) =>
  new SpotterError(
    "fork-change-not-allowed",
    issues.map(({ path, message }) => `${path.replace("config.", "")} ${message}`).join("; "),
    { details: { issues: issues.map((issue) => ({ ...issue })) } },
  );

export const forkCannotKeep = (part: string, keys: readonly string[]) =>
  new SpotterError(
    "fork-cannot-keep",
    `${part} cannot be kept when ${keys.join(", ")} changes; leave it out, or leave the change out.`,
  );

export const forkWithoutSteps = (step: number, totalSteps: number) =>
  new SpotterError(
    "fork-without-steps",
    `The fork would begin at step ${step}, and its config ends at step ${totalSteps}; give it more epochs, or a larger max_steps.`,
  );

export const commandRunsClosed = () => new SpotterError("command-runs-closed");
export const valueNotChangeable = (message: string, names: readonly string[]) =>
  new SpotterError("value-not-changeable", message, { details: { names: [...names] } });
export const changeNotRevertible = (message: string) =>
  new SpotterError("change-not-revertible", message);
export const fileNotFound = () => new SpotterError("file-not-found");
export const noActiveRun = () => new SpotterError("no-active-run");
export const noCheckpoint = () => new SpotterError("no-checkpoint");
export const noWeights = () => new SpotterError("no-weights");
export const preflightFailed = (message: string) => new SpotterError("preflight-failed", message);
export const preflightNotFound = (jobId: number) =>
  new SpotterError("preflight-not-found", `There is no pre-flight ${jobId}.`);
export const predictionFailed = (message: string) => new SpotterError("prediction-failed", message);
