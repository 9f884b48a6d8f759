// Server-sent events over fetch, in the browser and in Node: one endless stream that reconnects by itself behind the last
// id it gave out, so that its reader sees no gap and no repeat. Does not know what the events mean.
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { ApiError, type HttpClient } from "./http.ts";
import { type BackOff, defaultBackOff, delay, mayPass, waitAfter } from "./retry.ts";

export interface SseMessage {
  /** Position behind this message, to go on from; null before the server has named one. */
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

/** `connecting`: first attempt. `open`: the server answers. `reconnecting`: broken, and tried again. */
export type StreamState = "connecting" | "open" | "reconnecting";

export interface SseOptions {
  /** Go on behind this id. */
  after?: string;
  /** Ends the stream without an error. */
  signal?: AbortSignal;
  /** Told of every change; with what broke the connection when it is `reconnecting`. */
  onState?: (state: StreamState, cause?: unknown) => void;
  /** Told whenever anything arrives, heartbeats too. */
  onHeard?: () => void;
  /** Silence after which the connection counts as dead. The server's heartbeat comes every 15 s. */
  silenceMs?: number;
  backOff?: BackOff;
}

interface Position {
  id: string | null;
}

const DEFAULT_SILENCE_MS = 45_000;

/**
 * Follows an SSE endpoint for ever.
 * @example
 * for await (const message of followSse(client, openStream, { query: { runs: "42" } }, { signal })) show(message.data);
 * @throws ApiError when trying again is useless: not signed in, not allowed, unknown position
 */
export async function* followSse(
  client: HttpClient,
  endpoint: { method: string; path: string },
  input: { params?: object; query?: object },
  options: SseOptions = {},
): AsyncGenerator<SseMessage, void, undefined> {
  const { signal, onState } = options;
  const position: Position = { id: options.after ?? null };
  let failures = 0;
  onState?.("connecting");
  while (!signal?.aborted) {
    let cause: unknown;
    try {
      for await (const message of oneConnection(client, endpoint, input, options, position)) {
        failures = 0;
        yield message;
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (!mayPass(error)) throw error;
      cause = error;
    }
    if (signal?.aborted) return;
    failures += 1;
    onState?.("reconnecting", cause);
    const asked = cause instanceof ApiError ? (cause.retryAfterS ?? 0) * 1000 : 0;
    await delay(Math.max(asked, waitAfter(failures, options.backOff ?? defaultBackOff)), signal);
  }
}

/** One request, read to its end. Reads on only when its reader has taken what came before. */
async function* oneConnection(
  client: HttpClient,
  endpoint: { method: string; path: string },
  input: { params?: object; query?: object },
  options: SseOptions,
  position: Position,
): AsyncGenerator<SseMessage, void, undefined> {
  const connection = new AbortController();
  const follow = () => connection.abort(options.signal?.reason);
  options.signal?.addEventListener("abort", follow);
  const silence = new SilenceAlarm(options.silenceMs ?? DEFAULT_SILENCE_MS, connection);
  try {
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (position.id !== null) headers["last-event-id"] = position.id;
    const open = client.request(endpoint, input, { signal: connection.signal, headers });
    const reader = (await silence.during(open)).body?.getReader();
    if (reader === undefined) return;
    options.onState?.("open");
    yield* readMessages(() => silence.during(reader.read()), options.onHeard, position);
  } finally {
    options.signal?.removeEventListener("abort", follow);
    // Also ends the request when the reader leaves its loop.
    connection.abort();
  }
}

async function* readMessages(
  read: () => Promise<{ done: boolean; value?: Uint8Array | undefined }>,
  onHeard: (() => void) | undefined,
  position: Position,
): AsyncGenerator<SseMessage, void, undefined> {
  const complete: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => complete.push(message) });
  const decoder = new TextDecoder();
  for (let chunk = await read(); !chunk.done; chunk = await read()) {
    onHeard?.();
    parser.feed(decoder.decode(chunk.value, { stream: true }));
    for (const { id, event, data } of complete.splice(0)) {
      // Set before the message is given out: whoever has it must not get it again.
      if (id !== undefined) position.id = id;
      yield { id: position.id, event: event ?? "message", data };
    }
  }
}

/** Ends a connection that says nothing for too long; time that the reader takes for itself does not count. */
class SilenceAlarm {
  readonly #limitMs: number;
  readonly #connection: AbortController;

  constructor(limitMs: number, connection: AbortController) {
    this.#limitMs = limitMs;
    this.#connection = connection;
  }

  async during<T>(waiting: Promise<T>): Promise<T> {
    const end = () =>
      this.#connection.abort(new Error(`The server said nothing for ${this.#limitMs} ms.`));
    const timer = setTimeout(end, this.#limitMs);
    try {
      return await waiting;
    } finally {
      clearTimeout(timer);
    }
  }
}
