// The fallback where streams are blocked on the way: asks for what is new, and hands it on as the stream's own events.
import type { HttpClient } from "@spotter/client";
import {
  getRun,
  type LiveEvent,
  listAlerts,
  listRunLogs,
  listRuns,
  pollMetrics,
  type RunSummary,
} from "@spotter/contract";
import type { LiveRequest } from "./live-interface.ts";
import type { Positions } from "./live-request.ts";

/** How far a run's logs were read, and how each run looked last. */
export interface PollMemory {
  lastLine: Map<number, number>;
  lastSeen: Map<number, string>;
  /** The same for alerts. */
  lastAlert: Map<number, string>;
}

export function newPollMemory(): PollMemory {
  return { lastLine: new Map(), lastSeen: new Map(), lastAlert: new Map() };
}

/** One pass over everything that is watched. Throws what the client throws. */
export async function pollOnce(
  client: HttpClient,
  request: LiveRequest,
  positions: Positions,
  memory: PollMemory,
  emit: (event: LiveEvent) => void,
): Promise<void> {
  if (request.topics.includes("runs")) await pollRuns(client, request, memory, emit);
  if (request.topics.includes("alerts")) await pollAlerts(client, memory, emit);
  for (const runId of request.runIds) {
    if (request.topics.includes("metrics"))
      await pollRunMetrics(client, runId, request, positions, emit);
    if (request.topics.includes("logs")) await pollRunLogs(client, runId, memory, emit);
  }
}

async function pollRuns(
  client: HttpClient,
  request: LiveRequest,
  memory: PollMemory,
  emit: (event: LiveEvent) => void,
): Promise<void> {
  const page = await client.call(listRuns, { query: { limit: "50" } });
  const listed = new Set(page.runs.map((run) => run.id));
  const others = request.runIds.filter((runId) => !listed.has(runId));
  const runs: RunSummary[] = [...page.runs];
  for (const runId of others) runs.push(await client.call(getRun, { params: { run_id: runId } }));
  for (const run of runs) {
    const look = JSON.stringify(run);
    if (memory.lastSeen.get(run.id) === look) continue;
    memory.lastSeen.set(run.id, look);
    emit({ type: "run-changed", run });
  }
}

async function pollAlerts(
  client: HttpClient,
  memory: PollMemory,
  emit: (event: LiveEvent) => void,
): Promise<void> {
  const { alerts } = await client.call(listAlerts, { query: { limit: "20" } });
  for (const alert of alerts.reverse()) {
    const look = JSON.stringify(alert);
    if (memory.lastAlert.get(alert.id) === look) continue;
    memory.lastAlert.set(alert.id, look);
    emit({ type: "alert-changed", alert });
  }
}

async function pollRunMetrics(
  client: HttpClient,
  runId: number,
  request: LiveRequest,
  positions: Positions,
  emit: (event: LiveEvent) => void,
): Promise<void> {
  const metrics = request.metrics?.join(",");
  // The address has room for 4,000 characters of names; more than that are filtered by whoever gets the events.
  const filter = metrics !== undefined && metrics.length <= 4_000 ? { metrics } : {};
  for (;;) {
    const answer = await client.call(pollMetrics, {
      params: { run_id: runId },
      query: { commit_no: String(positions.get(runId) ?? 0), ...filter },
    });
    for (const event of answer.events) emit(event);
    positions.set(runId, answer.commit_no);
    if (!answer.more) return;
  }
}

async function pollRunLogs(
  client: HttpClient,
  runId: number,
  memory: PollMemory,
  emit: (event: LiveEvent) => void,
): Promise<void> {
  const after = memory.lastLine.get(runId);
  const page = await client.call(listRunLogs, {
    params: { run_id: runId },
    query: after === undefined ? { limit: "1" } : { after: String(after), limit: "5000" },
  });
  memory.lastLine.set(runId, page.last_line_no ?? after ?? 0);
  if (after !== undefined && page.lines.length > 0)
    emit({ type: "log-appended", run_id: runId, lines: page.lines });
}
