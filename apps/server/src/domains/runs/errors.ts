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

export const configInvalid = (issues: readonly ErrorIssue[]) =>
  new SpotterError(
    "config-invalid",
    issues[0] === undefined ? undefined : `${issues[0].path}: ${issues[0].message}`,
    { details: { issues: issues.map((issue) => ({ ...issue })) } },
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
