// The write thread's work: it alone writes to the SQLite file. Batches that wait together become one transaction;
// while somebody's transaction is open, everybody else waits outside it.
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { IngestBatch, IngestOutcome, ProcedureCall, SqliteProcedure } from "./database.ts";
import { SqliteConnection } from "./sqlite-connection.ts";
import type { WriteReply, WriteRequest, WriteThreadOptions } from "./sqlite-messages.ts";
import { toWireFailure } from "./wire-failure.ts";

type IngestRequest = Extract<WriteRequest, { kind: "ingest" }>;
type ExecuteRequest = Extract<WriteRequest, { kind: "execute" }>;
type OtherRequest = Exclude<WriteRequest, IngestRequest>;

const MAX_GROUP = 256;
// A group must not hold the first batch's answer back for long.
const MAX_GROUP_MS = 25;
// Longer than any honest transaction; one that forgot to end would stop every write of the server.
const MAX_TRANSACTION_MS = 30_000;

/** Serves requests that come in on `port` until `close`. */
export class SqliteWriteThread {
  readonly #port: MessagePort;
  readonly #connection: SqliteConnection;
  readonly #procedures: ReadonlyMap<string, SqliteProcedure>;
  readonly #failAfterCommitOf: number | null;
  #ingests: IngestRequest[] = [];
  #others: OtherRequest[] = [];
  #replies: WriteReply[] = [];
  #openTransaction: number | undefined;
  #transactionTimer: NodeJS.Timeout | undefined;
  #numCommitted = 0;

  constructor(
    port: MessagePort,
    options: WriteThreadOptions,
    procedures: Readonly<Record<string, SqliteProcedure>>,
  ) {
    this.#port = port;
    this.#connection = SqliteConnection.openWriter(options.path);
    this.#procedures = new Map(Object.entries(procedures));
    this.#failAfterCommitOf = options.failAfterCommitOf;
    port.on("message", (requests: WriteRequest[]) => {
      this.#sort(requests);
      this.#work();
    });
  }

  #work(): void {
    for (;;) {
      // What arrived while the last transaction was being written joins the next one.
      for (
        let next = receiveMessageOnPort(this.#port);
        next;
        next = receiveMessageOnPort(this.#port)
      )
        this.#sort(next.message);
      if (this.#openTransaction !== undefined) break;
      if (this.#ingests.length > 0) this.#ingestGroup();
      const other = this.#others.shift();
      if (other !== undefined) this.#answer(other);
      else if (this.#ingests.length === 0) break;
      this.#sendReplies();
    }
    this.#sendReplies();
  }

  #sort(requests: readonly WriteRequest[]): void {
    for (const request of requests) {
      if (request.kind === "ingest") this.#ingests.push(request);
      else if (request.kind === "end") this.#answer(request);
      else if (request.kind === "execute" && request.transaction !== undefined)
        this.#answer(request);
      else this.#others.push(request);
    }
  }

  #answer(request: OtherRequest): void {
    try {
      this.#replies.push({ id: request.id, value: this.#perform(request) });
    } catch (error) {
      this.#replies.push({ id: request.id, failure: toWireFailure(error) });
    }
    if (request.kind === "close") {
      this.#sendReplies();
      this.#port.close();
    }
  }

  #perform(request: OtherRequest): unknown {
    switch (request.kind) {
      case "begin":
        return this.#begin(request.transaction);
      case "execute":
        return this.#execute(request);
      case "end":
        return this.#end(request.transaction, request.isCommit);
      case "call":
        return this.#inTransaction(() => this.#call(request.call));
      case "close":
        while (this.#ingests.length > 0) this.#ingestGroup();
        return this.#connection.closeWriter();
    }
  }

  #begin(transaction: number): void {
    this.#connection.run("begin immediate");
    this.#openTransaction = transaction;
    this.#transactionTimer = setTimeout(() => {
      this.#rollback();
      this.#leave();
      this.#work();
    }, MAX_TRANSACTION_MS);
  }

  #execute({ transaction, sql, parameters }: ExecuteRequest): unknown {
    if (transaction !== undefined && transaction !== this.#openTransaction)
      throw new Error(
        `This transaction is no longer open: it ended, or was open for more than ${MAX_TRANSACTION_MS} ms.`,
      );
    return this.#connection.execute(sql, parameters);
  }

  #end(transaction: number, isCommit: boolean): void {
    if (transaction !== this.#openTransaction) {
      // Rolled back already (time, or an error that SQLite ends transactions for): a rollback has its wish.
      if (!isCommit) return;
      throw new Error("This transaction is no longer open; nothing of it was stored.");
    }
    try {
      if (isCommit) this.#connection.run("commit");
      else this.#rollback();
    } catch (error) {
      this.#rollback();
      throw error;
    } finally {
      this.#leave();
    }
  }

  #leave(): void {
    clearTimeout(this.#transactionTimer);
    this.#openTransaction = undefined;
  }

  // SQLite ends a transaction of itself after a full disk or an I/O error.
  #rollback(): void {
    if (this.#connection.isInTransaction) this.#connection.run("rollback");
  }

  #inTransaction<T>(work: () => T): T {
    this.#connection.run("begin immediate");
    try {
      const result = work();
      this.#connection.run("commit");
      return result;
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  #call({ name, payload }: ProcedureCall): unknown {
    const procedure = this.#procedures.get(name);
    if (procedure === undefined) throw new Error(`No procedure is named ${name}.`);
    return procedure(this.#connection, payload as never);
  }

  #ingestGroup(): void {
    const [only] = this.#ingests;
    if (only !== undefined && this.#ingests.length === 1) {
      this.#ingests = [];
      this.#ingestAlone(only);
      return;
    }
    const done: WriteReply[] = [];
    const started = performance.now();
    let numTaken = 0;
    try {
      this.#inTransaction(() => {
        do {
          const request = this.#ingests[numTaken] as IngestRequest;
          numTaken += 1;
          done.push(this.#ingestOne(request));
        } while (
          numTaken < Math.min(this.#ingests.length, MAX_GROUP) &&
          performance.now() - started < MAX_GROUP_MS
        );
      });
    } catch (error) {
      // The whole transaction is gone, so every batch in it is; each sender tries again.
      const failure = toWireFailure(error);
      for (const { id } of this.#ingests.slice(0, Math.max(1, numTaken)))
        this.#replies.push({ id, failure });
      this.#ingests.splice(0, Math.max(1, numTaken));
      return;
    }
    this.#ingests.splice(0, numTaken);
    this.#failPoint(numTaken);
    this.#replies.push(...done);
  }

  /** A batch that nothing waits beside needs no savepoint: the transaction is its own. */
  #ingestAlone({ id, batch }: IngestRequest): void {
    try {
      this.#connection.run("begin immediate");
      const outcome = this.#applyBatch(batch);
      this.#connection.run(outcome.status === "skipped" ? "rollback" : "commit");
      this.#failPoint(1);
      this.#replies.push({ id, value: outcome });
    } catch (error) {
      this.#rollback();
      this.#replies.push({ id, failure: toWireFailure(error) });
    }
  }

  /** One batch in its savepoint. Throws only when the transaction around it is lost. */
  #ingestOne({ id, batch }: IngestRequest): WriteReply {
    this.#connection.run("savepoint batch");
    try {
      const outcome = this.#applyBatch(batch);
      if (outcome.status === "skipped") this.#connection.run("rollback to batch");
      this.#connection.run("release batch");
      return { id, value: outcome };
    } catch (error) {
      if (!this.#connection.isInTransaction) throw error;
      this.#connection.run("rollback to batch");
      this.#connection.run("release batch");
      return { id, failure: toWireFailure(error) };
    }
  }

  #applyBatch(batch: IngestBatch): IngestOutcome {
    const { guard, statements, procedures } = batch;
    if (this.#connection.execute(guard.sql, guard.parameters).changes !== 1)
      return { status: "skipped" };
    for (const { sql, parameters } of statements) this.#connection.execute(sql, parameters);
    return { status: "committed", results: procedures.map((call) => this.#call(call)) };
  }

  #failPoint(numCommitted: number): void {
    this.#numCommitted += numCommitted;
    if (this.#failAfterCommitOf !== null && this.#numCommitted >= this.#failAfterCommitOf)
      process.kill(process.pid, "SIGKILL");
  }

  #sendReplies(): void {
    if (this.#replies.length === 0) return;
    this.#port.postMessage(this.#replies);
    this.#replies = [];
  }
}
