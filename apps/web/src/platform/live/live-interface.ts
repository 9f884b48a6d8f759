// What pages see of the live connection: what they ask to watch, what they get, and how the connection stands.
import type { LiveEvent, StreamTopic } from "@spotter/contract";
import type { Ref } from "vue";

/**
 * How live the page is, told by shape, word and colour in the top bar.
 * - `connecting`: first attempt, nothing said yet.
 * - `live`: events arrive as they happen.
 * - `reconnecting`: the stream broke; data is safe on the server and is replayed without a gap.
 * - `polling`: streams are blocked on the way; the page asks every two seconds and says so.
 * - `offline`: the server cannot be reached at all.
 * - `signed-out`: the session ended; nothing more comes until somebody signs in.
 */
export type LiveState =
  | "connecting"
  | "live"
  | "reconnecting"
  | "polling"
  | "offline"
  | "signed-out";

/** What one part of a page wants to hear of. */
export interface LiveRequest {
  /** Runs whose metrics, logs, files and commands are wanted; empty: `runs` and `host` only. */
  runIds: readonly number[];
  topics: readonly StreamTopic[];
  /** Metric names, or prefixes that end in `/`; absent: all metrics of the runs. */
  metrics?: readonly string[];
}

/**
 * How to join history and stream without a gap or a repeat: watch first; when `onOpened` names the run's position, fetch
 * the history; then drop every `metric-appended` whose `commit_no` is not above the history's own `commit_no`.
 */
export interface LiveHandlers {
  /** One event that the request asked for. `stream-opened` and `stream-closing` stay inside the connection. */
  onEvent(event: LiveEvent): void;
  /**
   * From now on events of these runs arrive, each position being the last `commit_no` before them. Called once for a
   * request (again when its runs change). Not called after a reconnection that resumed without a gap.
   */
  onOpened?(positions: ReadonlyMap<number, number>): void;
  /**
   * The stream broke and goes on. Metrics were replayed without a gap; run summaries, logs, files and commands are
   * states rather than histories: ask again for what is shown of them.
   */
  onReconnected?(): void;
  /** Events may have been missed (the server forgot the position): fetch the history again. */
  onGap?(): void;
}

export interface LiveSubscription {
  /** Changes what is watched, without a gap for runs that stay. */
  update(request: LiveRequest): void;
  close(): void;
}

/** One for the whole page; all tabs share one stream behind it. */
export interface LiveConnection {
  readonly state: Readonly<Ref<LiveState>>;
  /** When anything, a heartbeat too, last came from the server: Unix seconds; null before the first. */
  readonly lastHeardAt: Readonly<Ref<number | null>>;
  /**
   * @example
   * const subscription = live.watch({ runIds: [42], topics: ["metrics"] }, { onEvent: draw });
   * onScopeDispose(() => subscription.close());
   */
  watch(request: LiveRequest, handlers: LiveHandlers): LiveSubscription;
  /** Tries again at once instead of waiting for the next attempt. */
  retry(): void;
}
