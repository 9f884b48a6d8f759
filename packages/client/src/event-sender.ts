// Sends a run's events in numbered batches, for own scripts and for followed TensorBoard folders. A batch that was not
// acknowledged is sent again under the same number, so the server stores every one exactly once.
import {
  type EventBatchInput,
  type EventReceipt,
  PROTOCOL,
  sendRunEvents,
} from "@spotter/contract";
import {
  type BatchLimits,
  contractLimits,
  type EventInput,
  splitEvents,
} from "./event-splitter.ts";
import { ApiError, type HttpClient } from "./http.ts";
import { type BackOff, defaultBackOff, delay, mayPass, waitAfter } from "./retry.ts";

export interface EventSenderOptions {
  runId: number;
  /** 1 for a run that was just made. */
  attempt?: number;
  /** Number of the next batch, when an earlier sender of the same attempt sent some. */
  nextSeq?: number;
  signal?: AbortSignal;
  /** Told before each new try, with how long it waits. */
  onRetry?: (cause: unknown, waitMs: number) => void;
  backOff?: BackOff;
  limits?: BatchLimits;
}

/**
 * @example
 * const sender = new EventSender(client, { runId: run.id });
 * await sender.send([{ type: "run-started", time: Date.now() / 1000 }]);
 */
export class EventSender {
  readonly #client: HttpClient;
  readonly #options: EventSenderOptions;
  #attempt: number;
  #nextSeq: number;
  /** Batches go one after the other: the server refuses a number that comes too early. */
  #previous: Promise<unknown> = Promise.resolve();

  constructor(client: HttpClient, options: EventSenderOptions) {
    this.#client = client;
    this.#options = options;
    this.#attempt = options.attempt ?? 1;
    this.#nextSeq = options.nextSeq ?? 1;
  }

  get attempt(): number {
    return this.#attempt;
  }

  /** Number of the next batch: keep it to go on in another process. */
  get nextSeq(): number {
    return this.#nextSeq;
  }

  /**
   * Resolves when the server has stored all of them durably.
   * @throws ApiError when trying again is useless; the abort reason when the signal ends the waiting
   */
  send(events: readonly EventInput[]): Promise<EventReceipt[]> {
    const sending = this.#previous.then(async () => {
      const receipts: EventReceipt[] = [];
      for (const part of splitEvents(events, this.#options.limits ?? contractLimits)) {
        const { runId, signal } = this.#options;
        const batch = { attempt: this.#attempt, seq: this.#nextSeq, events: part };
        receipts.push(await sendBatch(this.#client, runId, batch, { ...this.#options, signal }));
        this.#nextSeq += 1;
      }
      return receipts;
    });
    // The caller hears of the failure; the next batch must still be tried, for it may be the caller's repeat.
    this.#previous = sending.catch(() => undefined);
    return sending;
  }

  /** Begins the next attempt: what earlier attempts reported from `firstStep` on is superseded. */
  beginAttempt(firstStep: number, time: number): Promise<EventReceipt[]> {
    this.#previous = this.#previous.then(() => {
      this.#attempt += 1;
      this.#nextSeq = 1;
    });
    return this.send([{ type: "run-started", time, first_step: firstStep }]);
  }
}

/** Sends one batch until the server has acknowledged it. */
export async function sendBatch(
  client: HttpClient,
  runId: number,
  batch: Omit<EventBatchInput, "protocol">,
  options: Pick<EventSenderOptions, "signal" | "onRetry" | "backOff"> = {},
): Promise<EventReceipt> {
  const { signal, onRetry, backOff = defaultBackOff } = options;
  for (let failures = 1; ; failures += 1) {
    try {
      const body = { protocol: PROTOCOL, ...batch } as const;
      return await client.call(sendRunEvents, { params: { run_id: runId }, body }, { signal });
    } catch (error) {
      if (signal?.aborted || !mayPass(error)) throw error;
      const asked = error instanceof ApiError ? (error.retryAfterS ?? 0) * 1000 : 0;
      const waitMs = Math.max(asked, waitAfter(failures, backOff));
      onRetry?.(error, waitMs);
      await delay(waitMs, signal);
      signal?.throwIfAborted();
    }
  }
}
