// Names one window of one series: what a chart asks for, and the key under which the answer is kept.
import type { BucketColumns, SeriesWindow } from "@spotter/contract";

export interface WindowRequest {
  runId: number;
  name: string;
  /** Axis of from, to and of the bucketing. */
  x: "step" | "time";
  from: number | null;
  to: number | null;
  maxPoints: number;
  /** Only the points that later attempts cut off. */
  superseded: boolean;
}

/** Key of the whole request. */
export function windowKey(request: WindowRequest): string {
  return `${batchKey(request)}|${request.runId}|${request.name}`;
}

/** Key of what requests must share to travel together. */
export function batchKey(request: WindowRequest): string {
  return `${request.x}|${request.from}|${request.to}|${request.maxPoints}|${request.superseded}`;
}

/** About one bucket a pixel; rounded up, so that a small change of width asks for nothing new. */
export function maxPointsFor(plotWidth: number): number {
  return Math.min(2000, Math.max(300, Math.ceil(plotWidth / 100) * 100));
}

/** The answer for a series that has no point. */
export function emptyWindow(request: WindowRequest): SeriesWindow {
  const buckets: BucketColumns = {
    first_step: [],
    last_step: [],
    first_time: [],
    last_time: [],
    min: [],
    max: [],
    mean: [],
    count: [],
    nan: [],
    pos_inf: [],
    neg_inf: [],
  };
  return {
    run_id: request.runId,
    name: request.name,
    num_points: 0,
    num_buckets: 0,
    total_points: 0,
    superseded_points: 0,
    buckets,
    attempts: [],
    last: null,
    commit_no: 0,
  };
}
