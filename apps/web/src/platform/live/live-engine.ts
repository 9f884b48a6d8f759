// Keeps one stream open for everybody who watches: opens, resumes, falls back to polling, says how it stands.
// Knows neither tabs nor pages, so that it runs in a SharedWorker, in a page and in a test.
import { ApiError, type HttpClient } from "@spotter/client";
import { getHealth, getRun, type LiveEvent } from "@spotter/contract";
import type { LiveRequest, LiveState } from "./live-interface.ts";
import { newPollMemory, pollOnce } from "./live-poll.ts";
import { advance, covers, eventFor, type Positions, unionOf } from "./live-request.ts";
import { readStream } from "./live-stream.ts";

export type EngineMessage =
  | { type: "event"; event: LiveEvent }
  | { type: "opened"; positions: [number, number][] }
  | { type: "reconnected" }
  | { type: "gap" };

export interface EngineHandlers {
  onMessage(watchId: string, message: EngineMessage): void;
  onState(state: LiveState): void;
  onHeard(time: number): void;
}

/** Waits between attempts; the last one repeats. */
const WAITS_MS = [300, 1_000, 2_000, 4_000, 8_000, 10_000];
const POLL_MS = 2_000;
/** While polling, the stream is tried again this often. */
const STREAM_RETRY_MS = 30_000;
/** So many failures in a row, with a server that answers otherwise, mean that streams are blocked. */
const FAILURES_UNTIL_POLLING = 3;

interface Watch {
  request: LiveRequest;
  isOpened: boolean;
  /** Something was missed; told when the stream goes on, so that what is fetched then leaves no hole. */
  hasGap: boolean;
}

export class LiveEngine {
  readonly #client: HttpClient;
  readonly #handlers: EngineHandlers;
  readonly #watches = new Map<string, Watch>();
  readonly #positions: Positions = new Map();
  /** Watched runs that do not exist or may not be seen; asking for them would close the stream to all others. */
  readonly #refused = new Set<number>();
  readonly #stopped = new AbortController();
  #open: LiveRequest | null = null;
  #connection = new AbortController();
  #wake: () => void = () => undefined;
  #failures = 0;
  #state: LiveState = "connecting";
  #isRunning = false;

  constructor(client: HttpClient, handlers: EngineHandlers) {
    this.#client = client;
    this.#handlers = handlers;
  }

  get state(): LiveState {
    return this.#state;
  }

  setWatch(watchId: string, request: LiveRequest): void {
    const before = this.#watches.get(watchId);
    // Whoever asks anew may have been given the right, or the run, since.
    for (const id of request.runIds)
      if (before?.request.runIds.includes(id) !== true) this.#refused.delete(id);
    const isSame =
      before?.isOpened && request.runIds.every((id) => before.request.runIds.includes(id));
    this.#watches.set(watchId, {
      request,
      isOpened: isSame ?? false,
      hasGap: before?.hasGap ?? false,
    });
    if (this.#open !== null && covers(this.#open, this.#union())) {
      if (this.#state === "live") this.#announce();
    } else this.#reconnect();
    if (!this.#isRunning) void this.#run();
  }

  removeWatch(watchId: string): void {
    this.#watches.delete(watchId);
    const watched = new Set(this.#union().runIds);
    // A position that is not kept up to date must not be resumed from later.
    for (const runId of this.#positions.keys())
      if (!watched.has(runId) && this.#open?.runIds.includes(runId) !== true)
        this.#positions.delete(runId);
    if (this.#watches.size === 0) this.#reconnect();
  }

  /** Tries again now. */
  retry(): void {
    if (this.#state === "live") return;
    this.#failures = 0;
    this.#refused.clear();
    this.#reconnect();
    if (!this.#isRunning && this.#watches.size > 0) void this.#run();
  }

  stop(): void {
    this.#stopped.abort();
    this.#reconnect();
  }

  #union(): LiveRequest {
    return unionOf(
      [...this.#watches.values()].map(({ request }) => ({
        ...request,
        runIds: request.runIds.filter((runId) => !this.#refused.has(runId)),
      })),
    );
  }

  #reconnect(): void {
    this.#connection.abort();
    this.#wake();
  }

  /** The loop that lives as long as somebody watches. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    while (!this.#stopped.signal.aborted && this.#watches.size > 0) {
      // Several parts of a page ask in the same moment; one stream serves them all.
      await this.#sleep(0);
      this.#connection = new AbortController();
      const wait = await this.#attempt();
      if (wait === null) break;
      if (wait > 0 && !this.#connection.signal.aborted) await this.#sleep(wait);
    }
    this.#isRunning = false;
    this.#open = null;
  }

  /** One connection from its beginning to its end. @returns how long to wait for the next; null: never. */
  async #attempt(): Promise<number | null> {
    const request = this.#union();
    const { signal } = this.#connection;
    this.#open = request;
    for (const runId of this.#positions.keys())
      if (!request.runIds.includes(runId)) this.#positions.delete(runId);
    try {
      await readStream(this.#client, request, this.#positions, this.#streamHandlers(), signal);
      if (this.#state === "signed-out") return null;
    } catch (failure) {
      if (signal.aborted) return 0;
      if (isSignedOut(failure)) {
        this.#setState("signed-out");
        return null;
      }
      if (failure instanceof ApiError && failure.code === "position-unknown") this.#forget();
      else if (isRefusal(failure) && (await this.#dropRefused(request.runIds))) return 0;
    }
    if (signal.aborted) return 0;
    return await this.#afterFailure();
  }

  #streamHandlers() {
    return {
      onHeard: () => this.#handlers.onHeard(Date.now() / 1000),
      onEvent: (event: LiveEvent, id: string | undefined) => this.#take(event, id),
    };
  }

  #take(event: LiveEvent, id: string | undefined): void {
    if (event.type === "stream-opened") {
      this.#onOpened(event.positions);
      return;
    }
    if (event.type === "stream-closing") {
      if (event.reason === "signed-out") this.#setState("signed-out");
      return;
    }
    this.#hand(event);
    if (id !== undefined && id !== "") advance(this.#positions, id);
    else if (event.type === "metric-appended")
      advance(this.#positions, `${event.run_id}:${event.commit_no}`);
  }

  #onOpened(positions: Record<string, number>): void {
    for (const [runId, commitNo] of Object.entries(positions))
      if (!this.#positions.has(Number(runId))) this.#positions.set(Number(runId), commitNo);
    const wasBroken = this.#failures > 0 || this.#state === "polling";
    this.#failures = 0;
    this.#setState("live");
    if (wasBroken)
      for (const [watchId, watch] of this.#watches)
        if (watch.isOpened) this.#handlers.onMessage(watchId, { type: "reconnected" });
    this.#announce();
  }

  /** Tells those who wait where their runs stand, and those who missed something that they did. */
  #announce(): void {
    for (const [watchId, watch] of this.#watches) {
      if (watch.hasGap) this.#handlers.onMessage(watchId, { type: "gap" });
      watch.hasGap = false;
      const runIds = watch.request.runIds.filter((runId) => !this.#refused.has(runId));
      const isRefused = runIds.length === 0 && watch.request.runIds.length > 0;
      if (watch.isOpened || isRefused || !runIds.every((runId) => this.#positions.has(runId)))
        continue;
      watch.isOpened = true;
      const positions = runIds.map((runId): [number, number] => [
        runId,
        this.#positions.get(runId) ?? 0,
      ]);
      this.#handlers.onMessage(watchId, { type: "opened", positions });
    }
  }

  #hand(event: LiveEvent): void {
    for (const [watchId, watch] of this.#watches) {
      const wanted = eventFor(event, watch.request);
      if (wanted !== null) this.#handlers.onMessage(watchId, { type: "event", event: wanted });
    }
  }

  #forget(): void {
    this.#positions.clear();
    for (const watch of this.#watches.values()) watch.hasGap = watch.isOpened;
  }

  /** Leaves out the runs that the server does not show to us. @returns whether there were any. */
  async #dropRefused(runIds: readonly number[]): Promise<boolean> {
    const { signal } = this.#connection;
    const numBefore = this.#refused.size;
    for (const runId of runIds) {
      if (signal.aborted) break;
      try {
        await this.#client.call(getRun, { params: { run_id: runId } }, { signal });
      } catch (failure) {
        // Any other failure says nothing about this run; the next attempt meets it again.
        if (isRefusal(failure)) this.#refused.add(runId);
      }
    }
    return this.#refused.size > numBefore;
  }

  async #afterFailure(): Promise<number | null> {
    this.#failures += 1;
    const isReachable = await this.#isReachable();
    if (this.#connection.signal.aborted) return 0;
    if (isReachable && this.#failures >= FAILURES_UNTIL_POLLING) return await this.#poll();
    this.#setState(!isReachable && this.#failures > 2 ? "offline" : "reconnecting");
    return WAITS_MS[Math.min(this.#failures - 1, WAITS_MS.length - 1)] ?? 10_000;
  }

  async #isReachable(): Promise<boolean> {
    try {
      await this.#client.call(getHealth, {}, { signal: AbortSignal.timeout(5_000) });
      return true;
    } catch {
      // Any answer but health means the same here: not reachable.
      return false;
    }
  }

  /** Asks every two seconds until it is time to try the stream again. */
  async #poll(): Promise<number | null> {
    this.#setState("polling");
    const memory = newPollMemory();
    const until = Date.now() + STREAM_RETRY_MS;
    while (Date.now() < until && !this.#connection.signal.aborted) {
      try {
        await this.#placeNewcomers();
        await pollOnce(this.#client, this.#union(), this.#positions, memory, (event) =>
          this.#hand(event),
        );
        this.#handlers.onHeard(Date.now() / 1000);
      } catch (failure) {
        if (isSignedOut(failure)) {
          this.#setState("signed-out");
          return null;
        }
        if (!isRefusal(failure) || !(await this.#dropRefused(this.#union().runIds))) return 0;
      }
      await this.#sleep(POLL_MS);
    }
    return 0;
  }

  /** A run that was never streamed begins where it stands now; its history is fetched by whoever watches. */
  async #placeNewcomers(): Promise<void> {
    for (const runId of this.#union().runIds) {
      if (this.#positions.has(runId)) continue;
      const run = await this.#client.call(getRun, { params: { run_id: runId } });
      this.#positions.set(runId, run.commit_no);
    }
    this.#announce();
  }

  #setState(state: LiveState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#handlers.onState(state);
  }

  #sleep(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, durationMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function isSignedOut(failure: unknown): boolean {
  return failure instanceof ApiError && failure.status === 401;
}

/** The request itself was turned down; asking again, or by polling, changes nothing. */
function isRefusal(failure: unknown): boolean {
  return failure instanceof ApiError && (failure.status === 403 || failure.status === 404);
}
