// The failures of the comparisons room.
import { invalidRequest, SpotterError } from "../../platform/errors.ts";

export const comparisonNotFound = () => new SpotterError("comparison-not-found");

/** A saved comparison is seen by its project's people: runs of others cannot be in it. */
export const otherProject = (runId: number, projectId: number) =>
  invalidRequest([
    {
      path: "body.run_ids",
      message: `run ${runId} is not of project ${projectId}; a saved comparison holds runs of one project`,
    },
  ]);

export const notAmongRuns = (path: string, runId: number) =>
  invalidRequest([{ path, message: `run ${runId} is not one of the compared runs` }]);
