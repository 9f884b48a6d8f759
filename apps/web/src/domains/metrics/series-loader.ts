// Reads windows of series from the server: requests of one moment travel together, at most three calls are under way,
// and what nobody waits for any more is not sent, or is called back.
import type { SeriesRequest, SeriesWindow } from "@spotter/contract";
import type { z } from "zod";
import { batchKey, emptyWindow, type WindowRequest } from "./window-request.ts";

/** One call of `POST /api/metrics/query`. */
export type QueryCall = (
  requests: z.input<typeof SeriesRequest>[],
  signal: AbortSignal,
) => Promise<SeriesWindow[]>;

interface Waiting {
  request: WindowRequest;
  signal: AbortSignal;
  resolve(window: SeriesWindow): void;
  reject(error: unknown): void;
}

const MAX_IN_FLIGHT = 3;
/** Small enough that the first charts of a page are there before the last are read. */
const MAX_SERIES_IN_CALL = 16;

export class SeriesLoader {
  readonly #query: QueryCall;
  readonly #later: (callback: () => void) => void;
  #queue: Waiting[] = [];
  #inFlight = 0;
  #scheduled = false;

  /** @param later puts the sending off until everything of one moment has been asked */
  constructor(
    query: QueryCall,
    later: (callback: () => void) => void = (callback) => queueMicrotask(callback),
  ) {
    this.#query = query;
    this.#later = later;
  }

  /** @throws the signal's reason when it is aborted before the answer */
  load(request: WindowRequest, signal: AbortSignal): Promise<SeriesWindow> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      this.#queue.push({ request, signal, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#later(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    const abandoned = this.#queue.filter((waiting) => waiting.signal.aborted);
    this.#queue = this.#queue.filter((waiting) => !waiting.signal.aborted);
    for (const waiting of abandoned) waiting.reject(waiting.signal.reason);
    while (this.#inFlight < MAX_IN_FLIGHT && this.#queue.length > 0) void this.#send(this.#take());
  }

  /** Requests that share a window; so run and name tell the answers apart. */
  #take(): Waiting[] {
    const first = this.#queue[0];
    if (first === undefined) return [];
    const key = batchKey(first.request);
    const taken = this.#queue
      .filter((waiting) => batchKey(waiting.request) === key)
      .slice(0, MAX_SERIES_IN_CALL);
    const chosen = new Set(taken);
    this.#queue = this.#queue.filter((waiting) => !chosen.has(waiting));
    return taken;
  }

  async #send(batch: Waiting[]): Promise<void> {
    const controller = new AbortController();
    let numWanted = batch.length;
    for (const waiting of batch)
      waiting.signal.addEventListener(
        "abort",
        () => {
          waiting.reject(waiting.signal.reason);
          if (--numWanted === 0) controller.abort(waiting.signal.reason);
        },
        { once: true },
      );
    this.#inFlight++;
    try {
      const windows = await this.#query(requestsOf(batch), controller.signal);
      const found = new Map(windows.map((window) => [`${window.run_id}|${window.name}`, window]));
      for (const { request, resolve } of batch)
        resolve(found.get(`${request.runId}|${request.name}`) ?? emptyWindow(request));
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    } finally {
      this.#inFlight--;
      this.#pump();
    }
  }
}

function requestsOf(batch: readonly Waiting[]): z.input<typeof SeriesRequest>[] {
  const byRun = new Map<number, z.input<typeof SeriesRequest>>();
  for (const { request } of batch) {
    const known = byRun.get(request.runId);
    if (known !== undefined) {
      if (!known.names.includes(request.name)) known.names.push(request.name);
      continue;
    }
    byRun.set(request.runId, {
      run_id: request.runId,
      names: [request.name],
      x: request.x,
      from: request.from,
      to: request.to,
      max_points: request.maxPoints,
      superseded: request.superseded,
    });
  }
  return [...byRun.values()];
}
