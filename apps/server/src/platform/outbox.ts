// News that another room must not miss: a row written in the same transaction as the change, delivered at least once
// after the commit, again and again until its handler has taken it. Handlers must bear a repeat.
import type { Transaction } from "kysely";
import type { z } from "zod";
import type { Clock } from "./clock.ts";
import type { AnyTables, Database, Migration, Statement } from "./db/database.ts";
import { type StatementMaker, statementMaker } from "./db/statement.ts";
import type { Log } from "./log.ts";

export type OutboxPayload = z.infer<ReturnType<typeof z.json>>;
export type OutboxHandler = (payload: OutboxPayload) => Promise<void>;

export const outboxMigrations: readonly Migration[] = [
  {
    name: "0001-outbox",
    statements: (types) => [
      `create table outbox (
        id ${types.identity},
        topic ${types.text} not null,
        payload ${types.text} not null,
        created_at ${types.double} not null,
        due_at ${types.double} not null,
        num_tries ${types.integer} not null default 0,
        last_error ${types.text}
      )`,
      "create index outbox_due on outbox (due_at)",
    ],
  },
];

// A row in delivery is hidden this long; a server that dies meanwhile leaves it to the next one.
const LEASE_SECONDS = 60;
const MAX_AT_ONCE = 20;
const POLL_MS = 5_000;
const FIRST_RETRY_SECONDS = 1;
const LONGEST_RETRY_SECONDS = 600;

interface Row {
  readonly id: number;
  readonly topic: string;
  readonly payload: string;
  readonly num_tries: number;
}

export class Outbox {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #make: StatementMaker;
  readonly #handlers = new Map<string, OutboxHandler>();
  #delivering: Promise<void> | undefined;
  #isKicked = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: { database: Database; clock: Clock; log: Log }) {
    this.#database = parts.database;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#make = statementMaker(parts.database.engine);
  }

  /** Exactly one handler a topic; registered in `app.ts`. */
  handle(topic: string, handler: OutboxHandler): void {
    if (this.#handlers.has(topic)) throw new Error(`The outbox topic ${topic} has a handler.`);
    this.#handlers.set(topic, handler);
  }

  /** For Kysely transactions. Call `kick` after the commit, or it waits for the next look. */
  async enqueue(
    transaction: Transaction<AnyTables>,
    topic: string,
    payload: OutboxPayload,
  ): Promise<void> {
    const now = this.#clock.now();
    const row = { topic, payload: JSON.stringify(payload), created_at: now, due_at: now };
    await transaction
      .insertInto("outbox" as never)
      .values(row as never)
      .execute();
  }

  /** For ingest batches. */
  statement(topic: string, payload: OutboxPayload): Statement {
    const now = this.#clock.now();
    return this.#make(
      "insert into outbox (topic, payload, created_at, due_at) values (?, ?, ?, ?)",
      [topic, JSON.stringify(payload), now, now],
    );
  }

  start(): void {
    this.#timer = setInterval(() => this.kick(), POLL_MS);
    this.#timer.unref();
    this.kick();
  }

  /** Resolves when deliveries in progress are over; what is left waits for the next start. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#isKicked = false;
    await this.#delivering;
  }

  /** Looks for due rows now. */
  kick(): void {
    this.#isKicked = true;
    this.#delivering ??= this.#deliverAll().finally(() => {
      this.#delivering = undefined;
    });
  }

  async #deliverAll(): Promise<void> {
    try {
      while (this.#isKicked) {
        this.#isKicked = false;
        for (let rows = await this.#claim(); rows.length > 0; rows = await this.#claim())
          for (const row of rows) await this.#deliver(row);
      }
    } catch (error) {
      // The database is away: the next look comes by itself.
      this.#log.warn({ error }, "The outbox could not be read.");
    }
  }

  async #claim(): Promise<Row[]> {
    const now = this.#clock.now();
    // Mostly there is nothing: a read is cheaper than a write transaction that finds that out.
    if (!(await this.#hasDue(now))) return [];
    return this.#database.transaction(async (transaction) => {
      const tables = transaction.withTables<OutboxTables>();
      const due = await tables
        .selectFrom("outbox")
        .select(["id", "topic", "payload", "num_tries"])
        // Further ahead than the longest wait lies only what was written before the clock was set back.
        .where((where) =>
          where.or([
            where("due_at", "<=", now),
            where("due_at", ">", now + LONGEST_RETRY_SECONDS + LEASE_SECONDS),
          ]),
        )
        .orderBy("id")
        .limit(MAX_AT_ONCE)
        .forUpdate()
        .skipLocked()
        .execute();
      if (due.length > 0)
        await tables
          .updateTable("outbox")
          .set({ due_at: now + LEASE_SECONDS })
          .where(
            "id",
            "in",
            due.map(({ id }) => id),
          )
          .execute();
      return due;
    });
  }

  async #hasDue(now: number): Promise<boolean> {
    const row = await this.#database.kysely
      .withTables<OutboxTables>()
      .selectFrom("outbox")
      .select("id")
      // Further ahead than any wait lies only what was written before the clock was set back.
      .where((where) =>
        where.or([
          where("due_at", "<=", now),
          where("due_at", ">", now + LONGEST_RETRY_SECONDS + LEASE_SECONDS),
        ]),
      )
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  async #deliver({ id, topic, payload, num_tries }: Row): Promise<void> {
    const tables = this.#database.kysely.withTables<OutboxTables>();
    try {
      const handler = this.#handlers.get(topic);
      if (handler === undefined) throw new Error(`Nobody handles the outbox topic ${topic}.`);
      await handler(JSON.parse(payload) as OutboxPayload);
      await tables.deleteFrom("outbox").where("id", "=", id).execute();
    } catch (error) {
      const waitSeconds = Math.min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** num_tries);
      this.#log.warn({ error, topic, num_tries, wait_s: waitSeconds }, "A delivery failed.");
      await tables
        .updateTable("outbox")
        .set({
          due_at: this.#clock.now() + waitSeconds,
          num_tries: num_tries + 1,
          last_error: String(error).slice(0, 1000),
        })
        .where("id", "=", id)
        .execute();
    }
  }
}

type OutboxTables = {
  outbox: {
    id: number;
    topic: string;
    payload: string;
    created_at: number;
    due_at: number;
    num_tries: number;
    last_error: string | null;
  };
};
