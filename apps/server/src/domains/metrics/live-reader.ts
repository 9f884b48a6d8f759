// One reader of the live stream: what it wants, how far it has come in each run, and the change from replay to live
// without a gap or a repeat.
import type { LiveEvent, StreamTopic } from "@spotter/contract";
import type { ViewEvent } from "../../platform/bus.ts";
import { LiveFrame } from "./live-frame.ts";
import type { NameFilter } from "./series-names.ts";
import type { MetricsService } from "./service.ts";

/** The connection under a reader: SSE or a WebSocket, in our own format or the seeds'. */
export interface Outlet {
  /** @param position where the reader stands after this event; null when it watches no run */
  send(frame: LiveFrame, position: string | null, filter: NameFilter | undefined): void;
  /** Keeps proxies from closing a silent connection. */
  beat(): void;
  /** Bytes that the reader has not taken yet. */
  backlog(): number;
  /** Resolves when the backlog is gone, or the connection. */
  drained(): Promise<void>;
  end(): void;
  /** Calls back once the connection is gone, also when it is gone already. */
  onGone(callback: () => void): void;
}

export interface ReaderWishes {
  readonly topics: ReadonlySet<StreamTopic>;
  readonly filter: NameFilter | undefined;
  /** Whether a run of this project may be shown. */
  readonly mayView: (projectId: number) => boolean;
}

interface WatchedRun {
  position: number;
  isLive: boolean;
  /** Highest commit that was told while replay was under way. */
  announced: number;
}

// A megabyte is some seconds of a busy run; a reader that far behind goes on better by replay.
const MAX_BACKLOG_BYTES = 1024 * 1024;
const COMMITS_AT_ONCE = 100;
const TOPICS: Readonly<Record<LiveEvent["type"], StreamTopic | null>> = {
  "stream-opened": null,
  "stream-closing": null,
  "metric-appended": "metrics",
  "run-changed": "runs",
  "log-appended": "logs",
  "files-changed": "files",
  "command-changed": "commands",
  "host-sampled": "host",
  "alert-changed": "alerts",
};

export class LiveReader {
  isClosed = false;
  readonly #service: MetricsService;
  readonly #outlet: Outlet;
  readonly #wishes: ReaderWishes;
  readonly #runs = new Map<number, WatchedRun>();
  readonly #onError: (error: unknown) => void;
  #replay: Promise<void> | undefined;
  #position: string | null = null;

  /** @param runIds runs whose own events are wanted */
  constructor(
    service: MetricsService,
    outlet: Outlet,
    wishes: ReaderWishes,
    runIds: readonly number[],
    onError: (error: unknown) => void,
  ) {
    this.#onError = onError;
    this.#service = service;
    this.#outlet = outlet;
    this.#wishes = wishes;
    for (const id of runIds) this.#runs.set(id, { position: 0, isLive: false, announced: 0 });
  }

  /** Goes live from these positions on. The hub must know the reader already, so that nothing is told unheard. */
  begin(positions: ReadonlyMap<number, number>): void {
    if (this.isClosed) return;
    for (const [id, run] of this.#runs) run.position = positions.get(id) ?? 0;
    this.#refreshPosition();
    const opened = Object.fromEntries([...this.#runs].map(([id, run]) => [id, run.position]));
    this.#send(
      new LiveFrame({ type: "stream-opened", time: Date.now() / 1000, positions: opened }),
    );
    this.#catchUp();
  }

  /** Runs whose own events it is given now. */
  get runIds(): number[] {
    return [...this.#runs.keys()];
  }

  /** Watches one run instead of those before. */
  watch(runId: number, position: number): void {
    this.#runs.clear();
    this.#runs.set(runId, { position, isLive: false, announced: 0 });
    this.#refreshPosition();
    this.#catchUp();
  }

  /** Takes one event of the bus, if it is wanted. */
  take(frame: LiveFrame): void {
    const event = frame.event as ViewEvent;
    const topic = TOPICS[event.type];
    if (this.isClosed || topic === null || !this.#wishes.topics.has(topic)) return;
    if (event.type === "metric-appended") this.#takeCommit(frame, event.run_id, event.commit_no);
    else if (this.#wants(event)) this.#sendLive(frame);
  }

  beat(): void {
    if (!this.isClosed) this.#outlet.beat();
  }

  /** The connection is gone, or about to be. */
  close(reason?: Extract<LiveEvent, { type: "stream-closing" }>["reason"]): void {
    if (this.isClosed) return;
    if (reason !== undefined) this.#send(new LiveFrame({ type: "stream-closing", reason }));
    this.isClosed = true;
    this.#outlet.end();
  }

  #wants(event: Exclude<ViewEvent, { type: "metric-appended" }>): boolean {
    if (event.type === "host-sampled") return true;
    if (event.type === "run-changed" || event.type === "alert-changed")
      return event.project_id !== undefined && this.#wishes.mayView(event.project_id);
    return this.#runs.has(event.run_id);
  }

  #takeCommit(frame: LiveFrame, runId: number, commitNo: number): void {
    const run = this.#runs.get(runId);
    if (run === undefined) return;
    run.announced = Math.max(run.announced, commitNo);
    if (!run.isLive || commitNo <= run.position) return;
    if (commitNo !== run.position + 1) {
      // Another server on the same database wrote what is missing: the store has it.
      run.isLive = false;
      this.#catchUp();
      return;
    }
    run.position = commitNo;
    this.#refreshPosition();
    this.#sendLive(frame);
  }

  #sendLive(frame: LiveFrame): void {
    this.#send(frame);
    if (this.#outlet.backlog() > MAX_BACKLOG_BYTES) this.close("slow-reader");
  }

  #send(frame: LiveFrame): void {
    this.#outlet.send(frame, this.#position, this.#wishes.filter);
  }

  #refreshPosition(): void {
    let text = "";
    for (const [id, run] of this.#runs) text += `${text === "" ? "" : ","}${id}:${run.position}`;
    this.#position = text === "" ? null : text;
  }

  #catchUp(): void {
    this.#replay ??= this.#replayRuns()
      .catch((error: unknown) => {
        // The reader goes on from its position when it comes again.
        this.#onError(error);
        this.close();
      })
      .finally(() => {
        this.#replay = undefined;
        // A run may have fallen behind just after its turn.
        if (!this.isClosed && [...this.#runs.values()].some((run) => !run.isLive)) this.#catchUp();
      });
  }

  async #replayRuns(): Promise<void> {
    for (const [id, run] of this.#runs) {
      while (!run.isLive && !this.isClosed) await this.#replayPage(id, run);
    }
  }

  async #replayPage(id: number, run: WatchedRun): Promise<void> {
    if (!this.#wishes.topics.has("metrics")) {
      run.isLive = true;
      return;
    }
    const { filter } = this.#wishes;
    const page = await this.#service.readAfter(id, run.position, COMMITS_AT_ONCE, filter);
    for (const event of page.events) {
      if (this.isClosed) return;
      run.position = event.commit_no;
      this.#refreshPosition();
      this.#send(new LiveFrame(event));
      // Replay waits for a slow reader instead of cutting it: nothing piles up meanwhile.
      if (this.#outlet.backlog() > MAX_BACKLOG_BYTES / 4) await this.#outlet.drained();
    }
    run.position = Math.max(run.position, page.commitNo);
    this.#refreshPosition();
    // No await between this look and going live: whatever is told from now on, this reader takes.
    if (!page.more && run.announced <= run.position) run.isLive = true;
  }
}
