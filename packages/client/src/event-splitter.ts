// Splits events into batches that the contract accepts: so many points, so many events, so many bytes.
import {
  type EventBatchInput,
  MAX_BATCH_BYTES,
  MAX_BATCH_POINTS,
  type PointColumns,
} from "@spotter/contract";

/** An event before its defaults are filled in. */
export type EventInput = EventBatchInput["events"][number];

export interface BatchLimits {
  readonly points: number;
  readonly events: number;
  readonly bytes: number;
}

const MAX_BATCH_EVENTS = 10_000;
/** Sizes are estimated, so a quarter is kept free. */
export const contractLimits: BatchLimits = {
  points: MAX_BATCH_POINTS,
  events: MAX_BATCH_EVENTS,
  bytes: MAX_BATCH_BYTES * 0.75,
};

/** Longest that step, time and value of a point take as JSON, with commas: 17 + 18 + 24. */
const BYTES_OF_POINT = 60;
const BYTES_OF_SERIES = 40;

/** Events in their order, in batches within the limits; a large `metric-points` event is cut by series and points. */
export function splitEvents(
  events: readonly EventInput[],
  limits: BatchLimits = contractLimits,
): EventInput[][] {
  const batches: EventInput[][] = [];
  let batch: EventInput[] = [];
  let points = 0;
  let bytes = 0;
  for (const event of events.flatMap((whole) => cut(whole, limits))) {
    const size = sizeOf(event);
    const isFull =
      batch.length >= limits.events ||
      points + size.points > limits.points ||
      bytes + size.bytes > limits.bytes;
    if (isFull && batch.length > 0) {
      batches.push(batch);
      batch = [];
      points = 0;
      bytes = 0;
    }
    batch.push(event);
    points += size.points;
    bytes += size.bytes;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

function sizeOf(event: EventInput): { points: number; bytes: number } {
  if (event.type !== "metric-points") return { points: 0, bytes: 3 * JSON.stringify(event).length };
  let points = 0;
  let bytes = 0;
  for (const [name, columns] of Object.entries(event.series)) {
    points += columns.step.length;
    bytes += bytesOfSeries(name, columns.step.length);
  }
  return { points, bytes };
}

/** A name's characters take up to three bytes each in UTF-8, or two when escaped. */
function bytesOfSeries(name: string, numPoints: number): number {
  return 3 * name.length + BYTES_OF_SERIES + numPoints * BYTES_OF_POINT;
}

function cut(event: EventInput, limits: BatchLimits): EventInput[] {
  if (event.type !== "metric-points") return [event];
  const size = sizeOf(event);
  if (size.points <= limits.points && size.bytes <= limits.bytes) return [event];
  const pieces = Object.entries(event.series).flatMap(([name, columns]) =>
    cutSeries(name, columns, limits),
  );
  return gather(pieces, limits);
}

type Piece = [name: string, columns: PointColumns];

function cutSeries(name: string, columns: PointColumns, limits: BatchLimits): Piece[] {
  const byBytes = Math.floor((limits.bytes - bytesOfSeries(name, 0)) / BYTES_OF_POINT);
  const most = Math.max(1, Math.min(limits.points, byBytes));
  const pieces: Piece[] = [];
  for (let start = 0; start < columns.step.length; start += most) {
    const end = start + most;
    const { step, time, value } = columns;
    pieces.push([
      name,
      {
        step: step.slice(start, end),
        time: time.slice(start, end),
        value: value.slice(start, end),
      },
    ]);
  }
  return pieces;
}

/** Puts pieces together again, as many as fit; two pieces of one series never share an event. */
function gather(pieces: readonly Piece[], limits: BatchLimits): EventInput[] {
  const events: EventInput[] = [];
  let series: Record<string, PointColumns> = {};
  let points = 0;
  let bytes = 0;
  const finish = () => {
    if (Object.keys(series).length > 0) events.push({ type: "metric-points", series });
    series = {};
    points = 0;
    bytes = 0;
  };
  for (const [name, columns] of pieces) {
    const more = bytesOfSeries(name, columns.step.length);
    const isFull = points + columns.step.length > limits.points || bytes + more > limits.bytes;
    if (isFull || Object.hasOwn(series, name)) finish();
    series[name] = columns;
    points += columns.step.length;
    bytes += more;
  }
  finish();
  return events;
}
