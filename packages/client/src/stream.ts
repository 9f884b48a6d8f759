// The live stream, typed: everything that happens to the watched runs as an endless iterator of events.
import { type LiveEvent, openStream, type StreamTopic } from "@spotter/contract";
import { ApiError, type HttpClient } from "./http.ts";
import { followSse, type SseOptions } from "./sse.ts";

export interface LiveStreamOptions extends Omit<SseOptions, "after"> {
  /** Runs whose metrics, logs, files and commands are wanted; none: only `runs` and `host`. */
  runs?: readonly number[];
  /** Default: all but `host`. */
  topics?: readonly StreamTopic[];
  /** Metric names, or prefixes that end in `/`; default all. */
  metrics?: readonly string[];
  /** Go on behind this position: an event's `position`, or `positionOf` known commit numbers. */
  after?: string;
  /**
   * The server does not know the position any more, so events may have been missed; the stream goes on from now.
   * Without it, the stream ends with `position-unknown`.
   */
  onGap?: () => void;
}

/**
 * Stream position over runs, as in the SSE id: `42:1071,43:9`.
 * @example positionOf(new Map([[42, 1071]]))
 */
export function positionOf(commitNumbers: ReadonlyMap<number, number>): string {
  return [...commitNumbers].map(([runId, commitNo]) => `${runId}:${commitNo}`).join(",");
}

/**
 * Follows runs live; reconnects by itself, never skips and never repeats an event.
 * `stream-closing` stays inside, except that a sign-out ends the stream with `not-signed-in`.
 * @example
 * for await (const { event } of followRuns(client, { runs: [42], signal }))
 *   if (event.type === "metric-appended") draw(event.series);
 * @throws ApiError
 */
export async function* followRuns(
  client: HttpClient,
  options: LiveStreamOptions = {},
): AsyncGenerator<{ event: LiveEvent; position: string | null }, void, undefined> {
  const { runs, topics, metrics, onGap, after: first, ...sse } = options;
  const query = {
    ...(runs?.length ? { runs: runs.join(",") } : {}),
    ...(topics ? { topics: topics.join(",") } : {}),
    ...(metrics ? { metrics: metrics.join(",") } : {}),
  };
  let repeats = new RepeatFilter();
  let after = first;
  for (;;) {
    try {
      const start = after === undefined ? {} : { after };
      for await (const message of followSse(client, openStream, { query }, { ...sse, ...start })) {
        const event = repeats.pass(JSON.parse(message.data) as LiveEvent);
        if (event?.type === "stream-closing") refuseAfterSignOut(event.reason);
        else if (event !== null) yield { event, position: message.id };
      }
      return;
    } catch (error) {
      const isGap = error instanceof ApiError && error.code === "position-unknown";
      if (!isGap || onGap === undefined) throw error;
      after = undefined;
      // A server that forgot the position, say after a restore, may count from lower numbers again.
      repeats = new RepeatFilter();
      onGap();
    }
  }
}

function refuseAfterSignOut(reason: string): void {
  if (reason === "signed-out")
    throw new ApiError("not-signed-in", 401, "The session or the token has ended; sign in again.");
}

/** Commit and line numbers only rise; what is not above the last one was given out before. */
class RepeatFilter {
  readonly #commits = new Map<number, number>();
  readonly #lines = new Map<number, number>();

  pass(event: LiveEvent): LiveEvent | null {
    if (event.type === "metric-appended") {
      if (event.commit_no <= (this.#commits.get(event.run_id) ?? 0)) return null;
      this.#commits.set(event.run_id, event.commit_no);
    }
    if (event.type !== "log-appended") return event;
    const last = this.#lines.get(event.run_id) ?? 0;
    const lines = event.lines.filter((line) => line.line_no > last);
    if (lines.length === 0) return null;
    this.#lines.set(event.run_id, lines.at(-1)?.line_no ?? last);
    return { ...event, lines };
  }
}
