// The one live stream behind the web page and the CLI: typed events over SSE, resumable by position.
import { z } from "zod";
import { Alert } from "./alerts.ts";
import { defineEndpoint } from "./endpoint.ts";
import { MetricAppended } from "./metrics.ts";
import { LogLine, RunCommand, RunFile, RunSummary } from "./runs.ts";
import { Id, UnixTime } from "./scalars.ts";
import { HostReading } from "./system.ts";

/** First event of every connection: where each watched run's stream stands. */
export const StreamOpened = z.object({
  type: z.literal("stream-opened"),
  time: UnixTime,
  positions: z.record(z.string(), z.number().int()),
});
/** A run was created or something in its summary changed. */
export const RunChanged = z.object({ type: z.literal("run-changed"), run: RunSummary });
export const LogAppended = z.object({
  type: z.literal("log-appended"),
  run_id: Id,
  lines: z.array(LogLine),
});
export const FilesChanged = z.object({
  type: z.literal("files-changed"),
  run_id: Id,
  file: RunFile,
});
export const CommandChanged = z.object({
  type: z.literal("command-changed"),
  run_id: Id,
  command: RunCommand,
});
export const HostSampled = z.object({ type: z.literal("host-sampled"), reading: HostReading });
/** A rule has fired for a run, or has recovered. */
export const AlertChanged = z.object({ type: z.literal("alert-changed"), alert: Alert });
/** Last event before the server closes a connection by its own will. The client reconnects with its last id. */
export const StreamClosing = z.object({
  type: z.literal("stream-closing"),
  reason: z.enum(["slow-reader", "shutting-down", "signed-out"]),
});

export const LiveEvent = z.discriminatedUnion("type", [
  StreamOpened,
  MetricAppended,
  RunChanged,
  LogAppended,
  FilesChanged,
  CommandChanged,
  HostSampled,
  AlertChanged,
  StreamClosing,
]);
export type LiveEvent = z.infer<typeof LiveEvent>;

export const StreamTopic = z.enum([
  "metrics",
  "runs",
  "logs",
  "files",
  "commands",
  "host",
  "alerts",
]);
export type StreamTopic = z.infer<typeof StreamTopic>;

/**
 * SSE `id:` is a position over all watched runs: `42:1071,43:9` (run:commit_no). `Last-Event-ID`, or `after`, goes on
 * behind it with no gap and no repeat. SSE `event:` is the event's `type`; `data:` the whole event as JSON.
 */
export const StreamQuery = z.object({
  /** Runs whose metrics, logs, files and commands are wanted, comma-separated; none: only `runs`, `alerts` and `host`. */
  runs: z
    .string()
    .regex(/^[1-9][0-9]{0,14}(,[1-9][0-9]{0,14}){0,199}$/)
    .optional(),
  /** Comma-separated topics; default all but `host`. */
  topics: z.string().max(100).optional(),
  /** Metric names or prefixes ending in `/`, comma-separated; default all. */
  metrics: z.string().max(8000).optional(),
  after: z.string().max(4000).optional(),
});
export const openStream = defineEndpoint({
  domain: "metrics",
  name: "open-stream",
  method: "GET",
  path: "/api/stream",
  access: "signed-in",
  summary: "Everything that happens, live (SSE). Needs viewer in each run's project.",
  query: StreamQuery,
  stream: "sse",
});
