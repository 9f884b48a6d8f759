// How the command line ends: one number and one sentence for every failure.
import { ApiError } from "@spotter/client";
import { CommanderError } from "commander";
import { ConfigFileProblem } from "./config-file.ts";
import { SettingProblem } from "./settings.ts";

export const exitCodes = {
  ok: 0,
  failure: 1,
  wrongUsage: 2,
  notSignedIn: 3,
  notFound: 4,
  unreachable: 5,
  notAllowed: 6,
  conflict: 7,
  /** `watch`, and `train --watch`: how the run ended. */
  runFailed: 10,
  runStopped: 11,
  interrupted: 130,
} as const;

/** A mistake in what was typed. */
export class UsageProblem extends Error {}

/** What was named is not there. */
export class NotThereProblem extends Error {}

export interface Ending {
  readonly code: number;
  /** Null when it was told already. */
  readonly sentence: string | null;
}

/** What a thrown thing means for whoever typed the command. */
export function endingOf(error: unknown): Ending {
  if (error instanceof CommanderError)
    return { code: error.exitCode === 0 ? exitCodes.ok : exitCodes.wrongUsage, sentence: null };
  if (error instanceof UsageProblem || error instanceof SettingProblem)
    return { code: exitCodes.wrongUsage, sentence: `${error.message} (wrong-usage)` };
  if (error instanceof NotThereProblem)
    return { code: exitCodes.notFound, sentence: `${error.message} (not-found)` };
  if (error instanceof ConfigFileProblem)
    return { code: exitCodes.failure, sentence: `${error.message} (config-damaged)` };
  if (error instanceof ApiError)
    return { code: codeOf(error), sentence: `${error.message} (${error.code})${issuesOf(error)}` };
  const message = error instanceof Error ? error.message : String(error);
  return { code: exitCodes.failure, sentence: `${message} (unexpected)` };
}

function codeOf({ code, status }: ApiError): number {
  if (code === "unreachable") return exitCodes.unreachable;
  if (status === 401) return exitCodes.notSignedIn;
  if (status === 403) return exitCodes.notAllowed;
  if (status === 404) return exitCodes.notFound;
  if (status === 409) return exitCodes.conflict;
  if (status === 400 || status === 422) return exitCodes.wrongUsage;
  return exitCodes.failure;
}

/** One line for each wrong field, when there are several. */
function issuesOf({ details }: ApiError): string {
  const issues = details.issues;
  if (!Array.isArray(issues) || issues.length < 2) return "";
  const lines = issues.map(({ path, message }) => `\n  ${String(path)}: ${String(message)}`);
  return lines.join("");
}
