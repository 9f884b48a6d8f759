// The page's memory of series: windows that charts watch, kept current by the live stream, and those that they watched
// before, up to 64 MB. It knows nothing of Vue; a listener is told when a window has changed.
import type { MetricAppended, SeriesWindow } from "@spotter/contract";
import { type LiveWindow, mergeBatch, openLiveWindow } from "./prepare-live.ts";
import type { SeriesLoader } from "./series-loader.ts";
import { type WindowRequest, windowKey } from "./window-request.ts";

/** A watched window, as a chart sees it. */
export interface WatchedWindow {
  readonly request: WindowRequest;
  /** null until the first answer. Changed in place by the live stream: do not keep parts of it. */
  readonly window: SeriesWindow | null;
  /** The last read failed; the window, if there is one, is the one before. */
  readonly error: unknown;
  release(): void;
}

interface Entry {
  readonly key: string;
  readonly request: WindowRequest;
  readonly listeners: Set<() => void>;
  live: LiveWindow | null;
  error: unknown;
  /** The read under way. */
  reading: AbortController | null;
  /** Batches that came while reading: merged behind the answer, which skips those it holds already. */
  early: MetricAppended[];
  usedAt: number;
  /** The stream's position when the last read began. */
  readFrom: number;
  /** Something was missed: read again before it is shown again. */
  stale: boolean;
}

const MAX_BYTES = 64 * 1024 * 1024;
const BYTES_OF_BUCKET = 11 * 8;
const BYTES_OF_ENTRY = 1024;

export class SeriesStore {
  readonly #loader: SeriesLoader;
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Entry>();
  /** The same entries by run and series, for the live stream. */
  readonly #bySeries = new Map<string, Set<Entry>>();
  /** Where each run's stream began. */
  readonly #positions = new Map<number, number>();
  #uses = 0;

  constructor(loader: SeriesLoader, maxBytes = MAX_BYTES) {
    this.#loader = loader;
    this.#maxBytes = maxBytes;
  }

  /** Watches a window until it is released; `onChange` is called at the first answer and at each change. */
  watch(request: WindowRequest, onChange: () => void): WatchedWindow {
    const entry = this.#entryFor(request);
    const listener = () => onChange();
    entry.listeners.add(listener);
    entry.usedAt = ++this.#uses;
    if ((entry.live === null || entry.stale) && entry.reading === null) void this.#read(entry);
    let released = false;
    return {
      request,
      get window() {
        return entry.live?.window ?? null;
      },
      get error() {
        return entry.error;
      },
      release: () => {
        if (released) return;
        released = true;
        entry.listeners.delete(listener);
        if (entry.listeners.size > 0) return;
        entry.reading?.abort(new DOMException("Nobody waits for it any more", "AbortError"));
        this.#evict();
      },
    };
  }

  /** Takes in batches of the live stream, in their order. */
  apply(events: readonly MetricAppended[]): void {
    const changed = new Set<Entry>();
    for (const event of events)
      for (const name of Object.keys(event.series))
        for (const entry of this.#bySeries.get(`${event.run_id}|${name}`) ?? [])
          if (this.#applyTo(entry, event)) changed.add(entry);
    for (const entry of changed) notify(entry);
  }

  /** Reads everything that is watched again, and the rest when it is next watched: after a gap in the stream. */
  refetch(runId?: number): void {
    for (const entry of this.#entries.values()) {
      if (runId !== undefined && entry.request.runId !== runId) continue;
      entry.stale = true;
      if (entry.listeners.size > 0 && entry.reading === null) void this.#read(entry);
    }
  }

  /**
   * From these positions on the stream tells everything: what was read before them is read again.
   * @param positions last `commit_no` before the stream's first event, by run
   */
  ensureUpTo(positions: ReadonlyMap<number, number>): void {
    for (const [runId, position] of positions) this.#positions.set(runId, position);
    for (const entry of this.#entries.values()) {
      if (entry.live === null || this.#reaches(entry)) continue;
      entry.stale = true;
      if (entry.listeners.size > 0 && entry.reading === null) void this.#read(entry);
    }
  }

  /** Reads windows again whose last read failed. */
  retry(): void {
    for (const entry of this.#entries.values())
      if (entry.error !== null && entry.listeners.size > 0 && entry.reading === null)
        void this.#read(entry);
  }

  #entryFor(request: WindowRequest): Entry {
    const key = windowKey(request);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry: Entry = {
      key,
      request,
      listeners: new Set(),
      live: null,
      error: null,
      reading: null,
      early: [],
      usedAt: 0,
      readFrom: 0,
      stale: false,
    };
    this.#entries.set(key, entry);
    const series = `${request.runId}|${request.name}`;
    const entries = this.#bySeries.get(series) ?? new Set();
    this.#bySeries.set(series, entries.add(entry));
    return entry;
  }

  async #read(entry: Entry): Promise<void> {
    const controller = new AbortController();
    entry.reading = controller;
    entry.early = [];
    entry.stale = false;
    entry.readFrom = this.#positions.get(entry.request.runId) ?? 0;
    try {
      const window = await this.#loader.load(entry.request, controller.signal);
      if (entry.reading !== controller) return;
      const { x: axis, from, to, maxPoints, superseded } = entry.request;
      const attempt = entry.live?.attempt ?? 0;
      entry.live = openLiveWindow(window, { axis, from, to, maxPoints, superseded });
      // A window that names no attempts must not ask for itself again and again.
      entry.live.attempt = Math.max(entry.live.attempt, attempt);
      entry.error = null;
      entry.reading = null;
      for (const event of entry.early.splice(0)) this.#applyTo(entry, event);
      // The stream opened while the answer was made: what lies between is in neither.
      if (!this.#reaches(entry) && entry.listeners.size > 0) void this.#read(entry);
    } catch (error) {
      if (entry.reading === controller) entry.reading = null;
      entry.stale = true;
      if (controller.signal.aborted) {
        // Somebody began to watch again between the abort and this moment.
        if (entry.listeners.size > 0 && entry.reading === null) void this.#read(entry);
        return;
      }
      entry.error = error;
    }
    notify(entry);
    this.#evict();
  }

  /** A read that began after the stream had opened holds all before it, whatever position the answer names. */
  #reaches(entry: Entry): boolean {
    const position = this.#positions.get(entry.request.runId) ?? 0;
    return entry.readFrom >= position || (entry.live?.window.commit_no ?? 0) >= position;
  }

  /** @returns true when listeners should hear of it */
  #applyTo(entry: Entry, event: MetricAppended): boolean {
    if (entry.reading !== null) {
      entry.early.push(event);
      return false;
    }
    const points = event.series[entry.request.name];
    if (entry.live === null || points === undefined) return false;
    const outcome = mergeBatch(entry.live, event, points);
    if (outcome === "refetch") {
      entry.live.attempt = event.attempt;
      entry.stale = true;
      if (entry.listeners.size > 0) void this.#read(entry);
      return false;
    }
    return outcome !== "repeat";
  }

  /** Forgets what was not watched for longest, until the rest fits. */
  #evict(): void {
    let bytes = 0;
    for (const entry of this.#entries.values()) bytes += bytesOf(entry);
    if (bytes <= this.#maxBytes) return;
    const idle = [...this.#entries.values()]
      .filter((entry) => entry.listeners.size === 0)
      .sort((a, b) => a.usedAt - b.usedAt);
    for (const entry of idle) {
      if (bytes <= this.#maxBytes) return;
      bytes -= bytesOf(entry);
      this.#entries.delete(entry.key);
      const series = `${entry.request.runId}|${entry.request.name}`;
      const entries = this.#bySeries.get(series);
      entries?.delete(entry);
      if (entries?.size === 0) this.#bySeries.delete(series);
    }
  }
}

function bytesOf(entry: Entry): number {
  return BYTES_OF_ENTRY + (entry.live?.window.buckets.count.length ?? 0) * BYTES_OF_BUCKET;
}

function notify(entry: Entry): void {
  for (const listener of [...entry.listeners]) listener();
}
