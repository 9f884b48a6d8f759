// The main thread's side of the write thread: numbers requests, sends those of one turn of the event loop in one
// message, and hands each answer to the promise that waits for it.
import { Worker } from "node:worker_threads";
import { SpotterError } from "../errors.ts";
import type { IngestBatch, IngestOutcome, ProcedureCall } from "./database.ts";
import { fromWireFailure } from "./failures.ts";
import type { WriteReply, WriteRequest, WriteThreadOptions } from "./sqlite-messages.ts";

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}
// Omit over a union, member by member.
type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

export class SqliteWriterProxy {
  readonly #thread: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #outgoing: WriteRequest[] = [];
  #transfer: ArrayBuffer[] = [];
  #lastId = 0;
  #lastTransaction = 0;
  #death: Error | undefined;
  #isClosing = false;
  /** Closing, and the thread is still there. */
  #isEnding = false;

  /** @param onDeath is told when the thread ends before `close`; the server cannot go on then */
  constructor(threadFile: URL, options: WriteThreadOptions, onDeath: (error: Error) => void) {
    this.#thread = new Worker(threadFile, { workerData: options, name: "db-thread" });
    this.#thread.on("message", (replies: WriteReply[]) => this.#settle(replies));
    this.#thread.on("error", (error) => this.#die(error, onDeath));
    this.#thread.on("exit", () => this.#die(new Error("The write thread ended."), onDeath));
  }

  ingest(batch: IngestBatch): Promise<IngestOutcome> {
    for (const { transfer } of batch.procedures)
      if (transfer !== undefined) this.#transfer.push(...transfer);
    const procedures = batch.procedures.map(({ name, payload }) => ({ name, payload }));
    return this.#send({ kind: "ingest", batch: { ...batch, procedures } });
  }

  call({ name, payload, transfer }: ProcedureCall): Promise<unknown> {
    if (transfer !== undefined) this.#transfer.push(...transfer);
    return this.#send({ kind: "call", call: { name, payload } });
  }

  execute(
    sql: string,
    parameters: readonly unknown[],
    transaction?: number,
  ): Promise<{ rows: unknown[]; changes: number }> {
    return this.#send({ kind: "execute", transaction, sql, parameters });
  }

  async begin(): Promise<number> {
    this.#lastTransaction += 1;
    const transaction = this.#lastTransaction;
    await this.#send({ kind: "begin", transaction });
    return transaction;
  }

  end(transaction: number, isCommit: boolean): Promise<void> {
    return this.#send({ kind: "end", transaction, isCommit });
  }

  /** Everything that was sent before is written first; a transaction that is still open is rolled back. */
  async close(): Promise<void> {
    if (this.#death !== undefined) return;
    const ended = new Promise<void>((resolve) => this.#thread.once("exit", () => resolve()));
    this.#isClosing = true;
    this.#isEnding = true;
    const answered: Promise<void> = this.#send({ kind: "close" });
    this.#death = new SpotterError("shutting-down");
    // The thread's end may overtake its last answer.
    await Promise.race([answered, ended]);
    await ended;
    this.#isEnding = false;
    for (const { reject } of this.#waiting.values()) reject(this.#death);
    this.#waiting.clear();
  }

  #send<T>(request: WithoutId<WriteRequest>): Promise<T> {
    // Whoever is refused within a transaction ends it; the thread closes only outside of one.
    if (this.#death !== undefined && !(this.#isEnding && request.kind === "end"))
      return Promise.reject(this.#death);
    this.#lastId += 1;
    const id = this.#lastId;
    if (this.#outgoing.length === 0) setImmediate(() => this.#flush());
    this.#outgoing.push({ ...request, id } as WriteRequest);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #flush(): void {
    const requests = this.#outgoing;
    const transfer = this.#transfer;
    this.#outgoing = [];
    this.#transfer = [];
    try {
      this.#thread.postMessage(requests, transfer);
    } catch (error) {
      // One value that cannot be cloned fails the message; the others must not suffer for it.
      if (requests.length === 1) this.#refuse(requests, error as Error);
      else for (const request of requests) this.#postAlone(request);
    }
  }

  // A failed postMessage has moved no buffer, so everything can still be copied.
  #postAlone(request: WriteRequest): void {
    try {
      this.#thread.postMessage([request]);
    } catch (error) {
      this.#refuse([request], error as Error);
    }
  }

  #refuse(requests: readonly WriteRequest[], error: Error): void {
    for (const { id } of requests) {
      this.#waiting.get(id)?.reject(error);
      this.#waiting.delete(id);
    }
  }

  #settle(replies: readonly WriteReply[]): void {
    for (const reply of replies) {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ("failure" in reply) waiting?.reject(fromWireFailure(reply.failure));
      else waiting?.resolve(reply.value as never);
    }
  }

  #die(error: Error, onDeath: (error: Error) => void): void {
    if (this.#death !== undefined || this.#isClosing) return;
    this.#death = new SpotterError("database-busy", "The database's write thread has ended.", {
      cause: error,
    });
    for (const { reject } of this.#waiting.values()) reject(this.#death);
    this.#waiting.clear();
    onDeath(error);
  }
}
