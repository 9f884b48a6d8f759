// What can go wrong in this room, and the words for it.
import { SpotterError } from "../../platform/errors.ts";

export function columnsUneven(
  name: string,
  columns: Record<"step" | "time" | "value", readonly unknown[]>,
): SpotterError {
  const { step, time, value } = columns;
  return new SpotterError(
    "columns-uneven",
    `The columns of ${name} must be of equal length; step has ${step.length}, time ${time.length}, value ${value.length}.`,
    { details: { name, step: step.length, time: time.length, value: value.length } },
  );
}

export function metricNotFound(runId: number, name: string): SpotterError {
  return new SpotterError("metric-not-found", `Run ${runId} has no metric ${name}.`);
}

export function positionUnknown(position: string): SpotterError {
  return new SpotterError(
    "position-unknown",
    `The stream position ${JSON.stringify(position.slice(0, 200))} is not one that this server gave out; a position is run:commit_no, comma-separated.`,
  );
}
