// Reads one batch of events off the wire. Metric points, nearly all of the traffic, are checked by a hand-written
// single pass; whatever it does not know at first sight goes to the contract's schema, which alone makes the errors.
import { EventBatch, MAX_BATCH_POINTS, PROTOCOL, WorkerEvent } from "@spotter/contract";
import { invalidRequest, SpotterError, safeParse } from "../../platform/errors.ts";

/** Says yes only to what the contract's `series` of `metric-points` accepts unchanged; counts its points. */
export type SeriesCheck = (series: unknown) => number | null;

/** @param checkSeries number of points, or null when the schema must decide; the metrics room has the fast one */
export function batchParser(checkSeries: SeriesCheck): (body: unknown) => EventBatch {
  return (body) => {
    const quick = parseQuickly(body, checkSeries);
    if (quick !== null) return quick;
    return parseBySchema(body);
  };
}

export function parseBySchema(body: unknown): EventBatch {
  if (isRecord(body) && "protocol" in body && body.protocol !== PROTOCOL)
    throw new SpotterError(
      "protocol-unsupported",
      `This server speaks worker protocol ${PROTOCOL}, not ${JSON.stringify(body.protocol)}.`,
    );
  const result = safeParse(EventBatch, body ?? {}, "body");
  if (!result.success)
    throw invalidRequest(
      result.error.issues.map((issue) => ({
        path: ["body", ...issue.path].join("."),
        message: issue.message,
      })),
    );
  let numPoints = 0;
  for (const event of result.data.events)
    if (event.type === "metric-points")
      for (const columns of Object.values(event.series)) numPoints += columns.step.length;
  refuseTooMany(numPoints);
  return result.data;
}

const ENVELOPE = new Set(["protocol", "attempt", "source", "seq", "sent_at", "events"]);
const MAX_EVENTS = 10_000;

/** Null means "not known at first sight", never "wrong". */
export function parseQuickly(body: unknown, checkSeries: SeriesCheck): EventBatch | null {
  if (!isRecord(body)) return null;
  for (const key in body) if (!ENVELOPE.has(key)) return null;
  const { protocol, attempt, source, seq, sent_at: sentAt, events } = body;
  if (protocol !== PROTOCOL || !isPositiveInteger(attempt) || !isPositiveInteger(seq)) return null;
  if (source !== undefined && source !== "worker" && source !== "supervisor") return null;
  if (sentAt !== undefined && !(typeof sentAt === "number" && sentAt >= 0 && sentAt <= 1e11))
    return null;
  if (!Array.isArray(events) || events.length === 0 || events.length > MAX_EVENTS) return null;
  const parsed = parseEvents(events, checkSeries);
  if (parsed === null) return null;
  return {
    protocol: PROTOCOL,
    attempt,
    source: source ?? "worker",
    seq,
    ...(sentAt === undefined ? {} : { sent_at: sentAt }),
    events: parsed,
  };
}

function parseEvents(events: readonly unknown[], checkSeries: SeriesCheck): WorkerEvent[] | null {
  const parsed: WorkerEvent[] = [];
  let numPoints = 0;
  for (const event of events) {
    if (!isRecord(event)) return null;
    if (event.type === "metric-points") {
      for (const key in event) if (key !== "type" && key !== "series") return null;
      const numOfEvent = checkSeries(event.series);
      if (numOfEvent === null) return null;
      numPoints += numOfEvent;
      parsed.push(event as WorkerEvent);
    } else {
      const result = safeParse(WorkerEvent, event, "body.events");
      if (!result.success) return null;
      parsed.push(result.data);
    }
  }
  refuseTooMany(numPoints);
  return parsed;
}

function refuseTooMany(numPoints: number): void {
  if (numPoints > MAX_BATCH_POINTS)
    throw new SpotterError(
      "body-too-large",
      `A batch may hold ${MAX_BATCH_POINTS} points; this one holds ${numPoints}.`,
    );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPositiveInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
