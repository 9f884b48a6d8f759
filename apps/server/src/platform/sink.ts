// How a higher room takes the worker events that concern it, without the queue knowing the room.
import type { WorkerEvent } from "@spotter/contract";
import type { ProcedureCall, Statement } from "./db/database.ts";

/** Where a batch came from. */
export interface BatchContext {
  readonly jobId: number;
  readonly projectId: number;
  readonly attempt: number;
  readonly source: "worker" | "supervisor";
  readonly seq: number;
  /** Server's clock, Unix seconds. */
  readonly receivedAt: number;
}

/** What a sink wants done inside the batch's transaction, and after it. */
export interface SinkPlan {
  readonly statements?: readonly Statement[];
  readonly procedures?: readonly ProcedureCall[];
  /** Called after the commit with the results of this plan's procedures, in order. Must not throw. */
  readonly afterCommit?: (results: readonly unknown[]) => void;
  /** What the sender is told as `commit_no`; the metrics sink alone sets it. */
  readonly commitNoOf?: (results: readonly unknown[]) => number | null;
}

/** Registered in `app.ts`; several sinks may take the same type. Plans must not read inside the transaction. */
export interface Sink {
  readonly types: readonly WorkerEvent["type"][];
  /** All events of the batch of these types, in order. May throw a SpotterError: the batch is then refused whole. */
  plan(context: BatchContext, events: readonly WorkerEvent[]): SinkPlan | Promise<SinkPlan>;
}
