// Runs: find, start, control, read their logs, and let them predict.
import {
  type ControlAnswer,
  type ControlRequest,
  type CreateRun,
  controlTraining,
  createRun,
  FINAL_STATES,
  getRun,
  getRunValues,
  type JobState,
  type ListRunsQuery,
  type LiveValues,
  type LogLevel,
  type LogLine,
  listRunCommands,
  listRunLogs,
  listRuns,
  type PredictAnswer,
  type PredictRequest,
  predictWithRun,
  type Run,
  type RunCommand,
  type RunPage,
  type RunSummary,
  type RunValues,
} from "@spotter/contract";
import type { z } from "zod";
import type { HttpClient } from "./http.ts";
import { delay } from "./retry.ts";

/** Whether a run in this state will never change it again. */
export function isOver(state: JobState): boolean {
  return FINAL_STATES.includes(state);
}

/** One page of runs. */
export function fetchRuns(
  client: HttpClient,
  query: z.input<typeof ListRunsQuery> = {},
): Promise<RunPage> {
  return client.call(listRuns, { query });
}

/**
 * All runs that fit, page after page, fetched as they are asked for.
 * @example for await (const run of eachRun(client, { state: "failed" })) console.log(run.id, run.reason);
 */
export async function* eachRun(
  client: HttpClient,
  query: z.input<typeof ListRunsQuery> = {},
): AsyncGenerator<RunSummary, void, undefined> {
  let cursor = query.cursor;
  do {
    const page: RunPage = await fetchRuns(client, { ...query, cursor });
    yield* page.runs;
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
}

/** One run, whole. */
export function fetchRun(client: HttpClient, runId: number): Promise<Run> {
  return client.call(getRun, { params: { run_id: runId } });
}

/**
 * Waits until a training's last attempt is closed. A run is over once its worker says so; its last lines come through
 * the supervisor, which closes the attempt behind them. Gives up after `withinMs` milliseconds: a supervisor may be gone.
 */
export async function untilLastLines(
  client: HttpClient,
  runId: number,
  signal: AbortSignal,
  withinMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!signal.aborted && performance.now() < deadline) {
    const { recipe, attempts } = await fetchRun(client, runId);
    // What somebody else carries out has no supervisor whose words could be late.
    if (recipe === null || attempts.every(({ state }) => state === "ended")) return;
    await delay(200, signal);
  }
}

/**
 * Queues a training of a recipe; without a recipe, opens a run for events of one's own.
 * @example const run = await startRun(client, { recipe: "vision", config: { epochs: 5 } });
 */
export function startRun(client: HttpClient, request: z.input<typeof CreateRun>): Promise<Run> {
  return client.call(createRun, { body: request });
}

/** Pauses, resumes, stops, cancels or checkpoints a run. */
export function controlRun(
  client: HttpClient,
  runId: number,
  action: Exclude<z.infer<typeof ControlRequest>["action"], "set" | "revert">,
): Promise<ControlAnswer> {
  return client.call(controlTraining, { body: { action, run_id: runId } });
}

/**
 * Changes values of a running training at its next step; a checkpoint is written first.
 * @example await setRunValues(client, 42, { learning_rate: 1e-4 }, "the loss jumps");
 */
export function setRunValues(
  client: HttpClient,
  runId: number,
  values: LiveValues,
  reason: string,
): Promise<ControlAnswer> {
  return client.call(controlTraining, { body: { action: "set", run_id: runId, values, reason } });
}

/** Takes a change back (the newest, where none is named): the run goes on from the checkpoint of before it. */
export function revertRun(
  client: HttpClient,
  runId: number,
  options: { changeId?: number; reason?: string } = {},
): Promise<ControlAnswer> {
  const { changeId, reason } = options;
  return client.call(controlTraining, {
    body: {
      ...{ action: "revert" as const, run_id: runId },
      ...(changeId === undefined ? {} : { change_id: changeId }),
      ...(reason === undefined ? {} : { reason }),
    },
  });
}

/** The values of a run that may change while it trains, with their bounds, and all changes so far. */
export function fetchRunValues(client: HttpClient, runId: number): Promise<RunValues> {
  return client.call(getRunValues, { params: { run_id: runId } });
}

/** What became of a command, once its run has taken it up or will not any more; null when that takes too long. */
export async function waitForCommand(
  client: HttpClient,
  runId: number,
  commandId: number,
  timeoutMs: number,
): Promise<RunCommand | null> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const { commands } = await client.call(listRunCommands, { params: { run_id: runId } });
    const command = commands.find(({ id }) => id === commandId);
    if (command !== undefined && command.state !== "sent") return command;
    if (Date.now() >= deadline) return null;
    await delay(100);
  }
}

/** Classifies images with the run's saved weights. */
export function predict(
  client: HttpClient,
  runId: number,
  request: z.input<typeof PredictRequest>,
): Promise<PredictAnswer> {
  return client.call(predictWithRun, { params: { run_id: runId }, body: request });
}

/** The last `count` log lines, oldest first. */
export async function fetchLastLogs(
  client: HttpClient,
  runId: number,
  options: { count?: number; level?: LogLevelName } = {},
): Promise<LogLine[]> {
  const { count = 500, level } = options;
  const query = { limit: String(count), ...(level ? { level } : {}) };
  return (await client.call(listRunLogs, { params: { run_id: runId }, query })).lines;
}

/** All log lines behind a line number, page after page. */
export async function* eachLogLine(
  client: HttpClient,
  runId: number,
  options: { after?: number; level?: LogLevelName } = {},
): AsyncGenerator<LogLine, void, undefined> {
  let after = options.after ?? 0;
  for (;;) {
    const query = {
      after: String(after),
      limit: "5000",
      ...(options.level ? { level: options.level } : {}),
    };
    const { lines } = await client.call(listRunLogs, { params: { run_id: runId }, query });
    yield* lines;
    const last = lines.at(-1)?.line_no;
    if (last === undefined) return;
    after = last;
  }
}

/** How bad a log line is. */
export type LogLevelName = z.infer<typeof LogLevel>;
