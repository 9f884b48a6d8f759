// Group commit on PostgreSQL: batches of one lane commit in the order in which they came; lanes run side by side.
import type pg from "pg";
import type {
  IngestBatch,
  IngestOutcome,
  PostgresProcedure,
  PostgresWriter,
  ProcedureCall,
} from "./database.ts";
import { translatePostgresFailure } from "./failures.ts";

interface Waiting {
  readonly batch: IngestBatch;
  readonly resolve: (outcome: IngestOutcome) => void;
  readonly reject: (error: Error) => void;
}
type Settle = () => void;

// More lanes only wait for each other on the disk.
const NUM_LANES = 4;
const MAX_GROUP = 64;
// Rolled back by a conflict or a deadlock: the same work may succeed at once.
const MAX_TRIES = 3;

export class PostgresIngest {
  readonly #pool: pg.Pool;
  readonly #procedures: Readonly<Record<string, PostgresProcedure>>;
  readonly #failAfterCommitOf: number | null;
  readonly #lanes: { waiting: Waiting[]; running: Promise<void> | undefined }[];
  #numCommitted = 0;

  constructor(
    pool: pg.Pool,
    procedures: Readonly<Record<string, PostgresProcedure>>,
    failAfterCommitOf: number | null,
  ) {
    this.#pool = pool;
    this.#procedures = procedures;
    this.#failAfterCommitOf = failAfterCommitOf;
    this.#lanes = Array.from({ length: NUM_LANES }, () => ({ waiting: [], running: undefined }));
  }

  add(batch: IngestBatch): Promise<IngestOutcome> {
    const lane = this.#lanes[(batch.lane ?? 0) % NUM_LANES];
    if (lane === undefined) throw new Error(`A lane is a whole number from 0; not ${batch.lane}.`);
    return new Promise((resolve, reject) => {
      lane.waiting.push({ batch, resolve, reject });
      lane.running ??= this.#drain(lane.waiting).finally(() => {
        lane.running = undefined;
      });
    });
  }

  /** Resolves when everything that was added has been answered. */
  async idle(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.running));
  }

  async #drain(waiting: Waiting[]): Promise<void> {
    // A turn of the event loop lets the other requests that arrived with this one join.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) await this.#commitGroup(waiting.splice(0, MAX_GROUP));
  }

  async #commitGroup(group: readonly Waiting[]): Promise<void> {
    for (let numTried = 1; ; numTried += 1) {
      try {
        for (const settle of await this.#tryGroup(group)) settle();
        return;
      } catch (error) {
        const state = (error as { code?: string }).code;
        if (numTried < MAX_TRIES && (state === "40001" || state === "40P01")) continue;
        const failure = translatePostgresFailure(error);
        for (const { reject } of group) reject(failure);
        return;
      }
    }
  }

  async #tryGroup(group: readonly Waiting[]): Promise<Settle[]> {
    const client = await this.#pool.connect();
    let failure: Error | undefined;
    try {
      await client.query("begin");
      const settles: Settle[] = [];
      for (const waiting of group) settles.push(await this.#tryOne(client, waiting));
      await client.query("commit");
      this.#failPoint(group.length);
      return settles;
    } catch (error) {
      failure = error as Error;
      throw error;
    } finally {
      // After a failure the connection is thrown away: a new one is cheaper than knowing what it is in.
      client.release(failure);
    }
  }

  async #tryOne(client: pg.PoolClient, { batch, resolve, reject }: Waiting): Promise<Settle> {
    await client.query("savepoint batch");
    try {
      const outcome = await this.#applyBatch(client, batch);
      await client.query(
        outcome.status === "skipped" ? "rollback to savepoint batch" : "release savepoint batch",
      );
      return () => resolve(outcome);
    } catch (error) {
      const state = (error as { code?: string }).code;
      if (state === "40001" || state === "40P01") throw error;
      // Fails when the connection is lost, and with it the whole group.
      await client.query("rollback to savepoint batch");
      return () => reject(translatePostgresFailure(error));
    }
  }

  async #applyBatch(client: pg.PoolClient, batch: IngestBatch): Promise<IngestOutcome> {
    const { guard, statements, procedures } = batch;
    const guarded = await client.query(guard.sql, [...guard.parameters]);
    if (guarded.rowCount !== 1) return { status: "skipped" };
    for (const { sql, parameters } of statements) await client.query(sql, [...parameters]);
    const results: unknown[] = [];
    for (const call of procedures) results.push(await runProcedure(client, this.#procedures, call));
    return { status: "committed", results };
  }

  #failPoint(numCommitted: number): void {
    this.#numCommitted += numCommitted;
    if (this.#failAfterCommitOf !== null && this.#numCommitted >= this.#failAfterCommitOf)
      process.kill(process.pid, "SIGKILL");
  }
}

export function runProcedure(
  client: pg.PoolClient,
  procedures: Readonly<Record<string, PostgresProcedure>>,
  { name, payload }: ProcedureCall,
): Promise<unknown> {
  const procedure = procedures[name];
  if (procedure === undefined) throw new Error(`No procedure is named ${name}.`);
  const writer: PostgresWriter = {
    async query<Row>(sql: string, parameters: readonly unknown[] = []) {
      const { rows, rowCount } = await client.query(sql, [...parameters]);
      return { rows: rows as Row[], rowCount: rowCount ?? 0 };
    },
  };
  return procedure(writer, payload as never);
}
