// The client's door: typed calls, live streams, and sending events of one's own.
export * from "./alerts.ts";
export * from "./auth.ts";
export * from "./comparisons.ts";
export * from "./datasets.ts";
export * from "./event-sender.ts";
export {
  type BatchLimits,
  contractLimits,
  type EventInput,
  splitEvents,
} from "./event-splitter.ts";
export * from "./forks.ts";
export * from "./http.ts";
export * from "./metrics.ts";
export * from "./models.ts";
export * from "./preflight.ts";
export * from "./queue.ts";
export { type BackOff, defaultBackOff, delay, waitAfter } from "./retry.ts";
export * from "./runs.ts";
export * from "./server.ts";
export * from "./sse.ts";
export * from "./stream.ts";
