// What the main thread and the write thread say to each other; always several requests or replies in one message.
import type { IngestBatch, ProcedureCall } from "./database.ts";
import type { WireFailure } from "./wire-failure.ts";

export type WriteRequest =
  | { readonly kind: "ingest"; readonly id: number; readonly batch: IngestBatch }
  | { readonly kind: "call"; readonly id: number; readonly call: ProcedureCall }
  | { readonly kind: "begin"; readonly id: number; readonly transaction: number }
  | {
      readonly kind: "execute";
      readonly id: number;
      /** Undefined: a transaction of its own. */
      readonly transaction: number | undefined;
      readonly sql: string;
      readonly parameters: readonly unknown[];
    }
  | {
      readonly kind: "end";
      readonly id: number;
      readonly transaction: number;
      readonly isCommit: boolean;
    }
  | { readonly kind: "close"; readonly id: number };

export type WriteReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly failure: WireFailure };

export interface WriteThreadOptions {
  readonly path: string;
  /** The process kills itself between the commit and the reply of this ingest batch; for the kill test. */
  readonly failAfterCommitOf: number | null;
}
