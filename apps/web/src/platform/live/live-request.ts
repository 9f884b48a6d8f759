// What all tabs together want to hear, which event belongs to whom, and where the stream stands. Pure.
import type { LiveEvent, StreamTopic } from "@spotter/contract";
import type { LiveRequest } from "./live-interface.ts";

/** Bounds of the stream's query, from the contract. */
const MAX_RUNS = 200;
const MAX_METRICS_LENGTH = 8_000;

/** Run id → the last commit that has been seen. */
export type Positions = Map<number, number>;

/** One request that covers them all. */
export function unionOf(requests: Iterable<LiveRequest>): LiveRequest {
  const runIds = new Set<number>();
  const topics = new Set<StreamTopic>();
  const metrics = new Set<string>();
  let wantsAllMetrics = false;
  for (const request of requests) {
    for (const runId of request.runIds) runIds.add(runId);
    for (const topic of request.topics) topics.add(topic);
    if (!request.topics.includes("metrics") || request.runIds.length === 0) continue;
    if (request.metrics === undefined) wantsAllMetrics = true;
    for (const name of request.metrics ?? []) metrics.add(name);
  }
  const union: LiveRequest = {
    runIds: [...runIds].sort((first, second) => second - first).slice(0, MAX_RUNS),
    topics: [...topics].sort(),
  };
  const names = [...metrics].sort();
  const fits =
    names.join(",").length <= MAX_METRICS_LENGTH && !names.some((name) => name.includes(","));
  // A filter that does not fit is dropped whole: hearing too much is right, hearing too little is not.
  if (!wantsAllMetrics && names.length > 0 && fits) union.metrics = names;
  return union;
}

/** Whether a stream opened for `open` already brings everything that `wanted` asks for. */
export function covers(open: LiveRequest, wanted: LiveRequest): boolean {
  if (!wanted.runIds.every((runId) => open.runIds.includes(runId))) return false;
  if (!wanted.topics.every((topic) => open.topics.includes(topic))) return false;
  if (open.metrics === undefined || !wanted.topics.includes("metrics")) return true;
  return wanted.metrics?.every((name) => open.metrics?.includes(name)) ?? false;
}

/** The stream's query string for a request that goes on behind the given positions. */
export function queryOf(request: LiveRequest, positions: Positions): Record<string, string> {
  const query: Record<string, string> = { topics: request.topics.join(",") };
  if (request.runIds.length > 0) query.runs = request.runIds.join(",");
  if (request.metrics !== undefined) query.metrics = request.metrics.join(",");
  const known = request.runIds.filter((runId) => positions.has(runId));
  if (known.length > 0)
    query.after = known.map((runId) => `${runId}:${positions.get(runId)}`).join(",");
  return query;
}

/** Takes over an SSE id such as `42:1071,43:9`; a position never goes back. */
export function advance(positions: Positions, id: string): void {
  for (const part of id.split(",")) {
    const [runId, commitNo] = part.split(":").map(Number);
    if (runId === undefined || commitNo === undefined || Number.isNaN(commitNo)) continue;
    positions.set(runId, Math.max(commitNo, positions.get(runId) ?? 0));
  }
}

/** The event as a request wants it: whole, with fewer series, or not at all. */
export function eventFor(event: LiveEvent, request: LiveRequest): LiveEvent | null {
  switch (event.type) {
    case "stream-opened":
    case "stream-closing":
      return null;
    case "host-sampled":
      return request.topics.includes("host") ? event : null;
    case "alert-changed":
      return request.topics.includes("alerts") ? event : null;
    case "run-changed": {
      const isWanted = request.runIds.length === 0 || request.runIds.includes(event.run.id);
      return request.topics.includes("runs") && isWanted ? event : null;
    }
    case "metric-appended":
      return wants(request, "metrics", event.run_id) ? withSeries(event, request.metrics) : null;
    case "log-appended":
      return wants(request, "logs", event.run_id) ? event : null;
    case "files-changed":
      return wants(request, "files", event.run_id) ? event : null;
    case "command-changed":
      return wants(request, "commands", event.run_id) ? event : null;
  }
}

function wants(request: LiveRequest, topic: StreamTopic, runId: number): boolean {
  return request.topics.includes(topic) && request.runIds.includes(runId);
}

function withSeries(
  event: Extract<LiveEvent, { type: "metric-appended" }>,
  metrics: readonly string[] | undefined,
): LiveEvent | null {
  if (metrics === undefined) return event;
  const names = Object.keys(event.series).filter((name) =>
    metrics.some((wanted) => (wanted.endsWith("/") ? name.startsWith(wanted) : name === wanted)),
  );
  if (names.length === 0) return null;
  if (names.length === Object.keys(event.series).length) return event;
  const series = Object.fromEntries(
    names.flatMap((name) => {
      const columns = event.series[name];
      return columns === undefined ? [] : [[name, columns] as const];
    }),
  );
  return { ...event, series };
}
