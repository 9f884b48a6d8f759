// Points as columns in memory, and as the packed bytes of a stored segment.
import { type Column, pack, unpack } from "./pack.ts";

/** Rows with the same index belong together. In a chunk they stand in step order, equal steps in order of arrival. */
export interface Points {
  readonly step: Float64Array;
  readonly time: Float64Array;
  readonly value: Float64Array;
  readonly commit: Float64Array;
  /** Place in the order of arrival inside the chunk; undefined where step order is arrival order. */
  readonly arrival: Float64Array | undefined;
}

/** So many points are packed together: small enough to read little at a window's edge, large enough to pack well. */
export const SEGMENT_POINTS = 4096;

export function allocatePoints(count: number): Points {
  return {
    step: new Float64Array(count),
    time: new Float64Array(count),
    value: new Float64Array(count),
    commit: new Float64Array(count),
    arrival: undefined,
  };
}

export function slicePoints(points: Points, from: number, to: number): Points {
  return {
    step: points.step.subarray(from, to),
    time: points.time.subarray(from, to),
    value: points.value.subarray(from, to),
    commit: points.commit.subarray(from, to),
    arrival: points.arrival?.subarray(from, to),
  };
}

/** @param parts each in order of arrival or with `arrival`; the result is in the order of the parts */
export function concatPoints(parts: readonly Points[]): Points {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const all = allocatePoints(parts.reduce((sum, part) => sum + part.step.length, 0));
  const hasArrival = parts.some((part) => part.arrival !== undefined);
  const arrival = hasArrival ? new Float64Array(all.step.length) : undefined;
  let at = 0;
  for (const part of parts) {
    all.step.set(part.step, at);
    all.time.set(part.time, at);
    all.value.set(part.value, at);
    all.commit.set(part.commit, at);
    if (arrival !== undefined) {
      const length = part.step.length;
      if (part.arrival !== undefined) arrival.set(part.arrival, at);
      else for (let index = 0; index < length; index += 1) arrival[at + index] = at + index;
    }
    at += part.step.length;
  }
  return { ...all, arrival };
}

/** Takes points in order of arrival; gives them in step order, equal steps as they arrived. */
export function sortBySteps(points: Points): Points {
  const { step } = points;
  if (isSorted(step)) return { ...points, arrival: undefined };
  const order = Uint32Array.from(step, (_, index) => index).sort(
    (a, b) => (step[a] as number) - (step[b] as number) || a - b,
  );
  return { ...pick(points, order), arrival: Float64Array.from(order) };
}

/** Undoes `sortBySteps`. */
export function sortByArrival(points: Points): Points {
  const { arrival } = points;
  if (arrival === undefined) return points;
  const order = Uint32Array.from(arrival, (_, index) => index).sort(
    (a, b) => (arrival[a] as number) - (arrival[b] as number),
  );
  return { ...pick(points, order), arrival: undefined };
}

/** The rows at these places, in this order. */
export function pick(points: Points, places: ArrayLike<number>): Points {
  const take = (column: Float64Array) =>
    Float64Array.from(
      { length: places.length },
      (_, index) => column[places[index] as number] as number,
    );
  return {
    step: take(points.step),
    time: take(points.time),
    value: take(points.value),
    commit: take(points.commit),
    arrival: points.arrival === undefined ? undefined : take(points.arrival),
  };
}

export function packPoints(points: Points): Uint8Array {
  const columns: Column[] = [
    { kind: "integer", data: points.step },
    { kind: "time", data: points.time },
    { kind: "value", data: points.value },
    { kind: "integer", data: points.commit },
  ];
  if (points.arrival !== undefined) columns.push({ kind: "integer", data: points.arrival });
  return pack(columns);
}

export function unpackPoints(bytes: Uint8Array): Points {
  const [step, time, value, commit, arrival] = unpack(bytes);
  if (step === undefined || time === undefined || value === undefined || commit === undefined)
    throw new Error("A stored segment lacks a column.");
  return { step, time, value, commit, arrival };
}

function isSorted(column: Float64Array): boolean {
  for (let index = 1; index < column.length; index += 1)
    if ((column[index] as number) < (column[index - 1] as number)) return false;
  return true;
}
