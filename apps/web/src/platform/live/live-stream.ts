// One connection to the stream: opens it, reads events, and ends with why it ended.
import type { HttpClient } from "@spotter/client";
import { type LiveEvent, openStream } from "@spotter/contract";
import { createParser } from "eventsource-parser";
import type { LiveRequest } from "./live-interface.ts";
import { type Positions, queryOf } from "./live-request.ts";

/** No byte for this long (heartbeats come every 15 s) means that the connection is dead. */
const SILENCE_MS = 35_000;
/** A proxy that holds answers back never lets the first event through. */
const OPENING_MS = 10_000;

export interface StreamHandlers {
  /** Bytes came, be it a heartbeat. */
  onHeard(): void;
  onEvent(event: LiveEvent, id: string | undefined): void;
}

/** Reads until the stream ends; throws what broke it. */
export async function readStream(
  client: HttpClient,
  request: LiveRequest,
  positions: Positions,
  handlers: StreamHandlers,
  signal: AbortSignal,
): Promise<void> {
  const watchdog = new Watchdog(signal);
  try {
    const response = await client.request(
      openStream,
      { query: queryOf(request, positions) },
      { signal: watchdog.signal, headers: { accept: "text/event-stream" } },
    );
    if (!response.headers.get("content-type")?.startsWith("text/event-stream"))
      throw new Error("Something on the way answered instead of the stream.");
    const parser = createParser({
      onEvent: (message) => {
        watchdog.isOpen = true;
        handlers.onEvent(JSON.parse(message.data) as LiveEvent, message.id);
      },
    });
    const decoder = new TextDecoder();
    for await (const bytes of chunksOf(response)) {
      watchdog.feed();
      handlers.onHeard();
      parser.feed(decoder.decode(bytes, { stream: true }));
    }
  } finally {
    watchdog.stop();
  }
}

/** Not every browser can iterate over a stream. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

/** Aborts a connection that says nothing. */
class Watchdog {
  readonly #abort = new AbortController();
  readonly #parent: AbortSignal;
  #timer: ReturnType<typeof setTimeout>;
  isOpen = false;

  constructor(parent: AbortSignal) {
    this.#parent = parent;
    parent.addEventListener("abort", this.#onParentAbort);
    if (parent.aborted) this.#abort.abort();
    this.#timer = setTimeout(this.#bite, OPENING_MS);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  feed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#bite, this.isOpen ? SILENCE_MS : OPENING_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#parent.removeEventListener("abort", this.#onParentAbort);
    // Ends the connection too when a handler threw in the middle of it.
    this.#abort.abort();
  }

  readonly #bite = (): void => this.#abort.abort();
  readonly #onParentAbort = (): void => this.#abort.abort();
}
