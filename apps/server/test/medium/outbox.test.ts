// The outbox: nothing that was enqueued in a committed transaction is lost, and nothing of a rolled-back one comes.
import { describe, expect, it } from "vitest";
import type { Clock } from "../../src/platform/clock.ts";
import type { Database } from "../../src/platform/db/database.ts";
import { statementMaker } from "../../src/platform/db/statement.ts";
import { Log } from "../../src/platform/log.ts";
import { Outbox, type OutboxPayload, outboxMigrations } from "../../src/platform/outbox.ts";
import { freshTestDatabase } from "../database.ts";

class TurnedClock implements Clock {
  time = 1_000_000;
  now(): number {
    return this.time;
  }
}

async function open() {
  const database = await freshTestDatabase(outboxMigrations);
  const clock = new TurnedClock();
  return { database, clock, outbox: makeOutbox(database, clock) };
}

function makeOutbox(database: Database, clock: Clock): Outbox {
  const log = new Log({ level: "silent", format: "json", write: () => undefined });
  return new Outbox({ database, clock, log });
}

const numRows = async (database: Database) =>
  (await database.read<{ n: number }>("select count(*) as n from outbox"))[0]?.n;

describe("the outbox", () => {
  it("delivers what was enqueued, in order, and forgets it", async () => {
    const { database, outbox } = await open();
    const got: OutboxPayload[] = [];
    outbox.handle("run-ended", async (payload) => {
      got.push(payload);
    });
    await database.transaction(async (transaction) => {
      await outbox.enqueue(transaction, "run-ended", { run_id: 1 });
      await outbox.enqueue(transaction, "run-ended", { run_id: 2 });
    });
    outbox.kick();
    await expect.poll(() => got).toEqual([{ run_id: 1 }, { run_id: 2 }]);
    await expect.poll(() => numRows(database)).toBe(0);
    await outbox.stop();
  });

  it("does not wait for an hour when the clock was set back by one", async () => {
    const { database, clock, outbox } = await open();
    const got: OutboxPayload[] = [];
    outbox.handle("run-ended", async (payload) => {
      got.push(payload);
    });
    await database.transaction((transaction) => outbox.enqueue(transaction, "run-ended", 1));
    clock.time -= 3_600;
    outbox.kick();
    await expect.poll(() => got).toEqual([1]);
    await outbox.stop();
  });

  it("delivers nothing of a transaction that rolled back", async () => {
    const { database, outbox } = await open();
    const work = database.transaction(async (transaction) => {
      await outbox.enqueue(transaction, "run-ended", { run_id: 1 });
      throw new Error("no");
    });
    await expect(work).rejects.toThrow("no");
    expect(await numRows(database)).toBe(0);
  });

  it("takes rows of ingest batches", async () => {
    const { database, outbox } = await open();
    const make = statementMaker(database.engine);
    const guard = make("insert into schema_migrations (name, applied_at) values (?, ?)", ["g", 1]);
    const statements = [outbox.statement("run-ended", { run_id: 3 })];
    await database.ingest({ guard, statements, procedures: [] });
    expect(await numRows(database)).toBe(1);
  });

  it("tries again, later each time, until the handler takes it", async () => {
    const { database, clock, outbox } = await open();
    let numCalls = 0;
    outbox.handle("run-ended", async () => {
      numCalls += 1;
      if (numCalls < 3) throw new Error("not now");
    });
    await database.transaction((transaction) => outbox.enqueue(transaction, "run-ended", 1));
    const due = async () =>
      (await database.read<{ due_at: number }>("select due_at from outbox"))[0]?.due_at;
    for (const waitSeconds of [1, 2]) {
      outbox.kick();
      await expect.poll(due).toBe(clock.time + waitSeconds);
      outbox.kick();
      await outbox.stop();
      clock.time += waitSeconds;
    }
    outbox.kick();
    await expect.poll(() => numRows(database)).toBe(0);
    expect(numCalls).toBe(3);
  });

  it("gives what a dead server was delivering to the next one, after the lease", async () => {
    const { database, clock, outbox } = await open();
    await database.transaction((transaction) => outbox.enqueue(transaction, "run-ended", 1));
    let hasBegun = false;
    // This server never comes back from its delivery.
    outbox.handle("run-ended", () => {
      hasBegun = true;
      return new Promise(() => undefined);
    });
    outbox.kick();
    await expect.poll(() => hasBegun).toBe(true);
    const next = makeOutbox(database, clock);
    const got: OutboxPayload[] = [];
    next.handle("run-ended", async (payload) => {
      got.push(payload);
    });
    next.kick();
    await next.stop();
    expect(got).toEqual([]);
    clock.time += 61;
    next.kick();
    await expect.poll(() => got).toEqual([1]);
    await next.stop();
  });

  it("refuses two handlers of one topic", async () => {
    const { outbox } = await open();
    outbox.handle("x", async () => undefined);
    expect(() => outbox.handle("x", async () => undefined)).toThrow("x");
  });
});
