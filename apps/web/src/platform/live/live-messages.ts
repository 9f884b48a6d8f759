// What pages and the shared worker say to each other.
import type { EngineMessage } from "./live-engine.ts";
import type { LiveRequest, LiveState } from "./live-interface.ts";

export type ToWorker =
  | { type: "watch"; watchId: string; request: LiveRequest }
  | { type: "unwatch"; watchId: string }
  | { type: "retry" }
  /** The page still lives. */
  | { type: "ping" }
  /** The page goes away. */
  | { type: "bye" };

export type FromWorker =
  | { type: "message"; watchId: string; message: EngineMessage }
  | { type: "state"; state: LiveState }
  | { type: "heard"; time: number };

/** Pages ping this often; hidden ones are slowed by browsers to once a minute. */
export const PING_MS = 20_000;
/** A page that was silent for so long is gone. */
export const PAGE_GONE_MS = 150_000;
