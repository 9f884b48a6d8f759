// The promises of platform/db/database.ts, on both engines.
import type { Kysely } from "kysely";
import { describe, expect, it } from "vitest";
import type { Database, IngestBatch, Migration } from "../../src/platform/db/database.ts";
import { ConstraintViolation } from "../../src/platform/db/failures.ts";
import { statementMaker } from "../../src/platform/db/statement.ts";
import { freshTestDatabase, testEngine } from "../database.ts";

type Tables = {
  things: { id: number; name: string; size: number | null; data: Uint8Array | null };
  senders: { id: number; seq: number };
};

const migrations: Migration[] = [
  {
    name: "0001-things",
    statements: (types) => [
      `create table things (id ${types.identity}, name ${types.text} not null unique, size ${types.integer}, data ${types.bytes})`,
      `create table senders (id ${types.integer} primary key, seq ${types.integer} not null)`,
    ],
  },
];

async function open(): Promise<{ database: Database; tables: Kysely<Tables> }> {
  const database = await freshTestDatabase(migrations);
  return { database, tables: database.kysely.withTables<Tables>() as unknown as Kysely<Tables> };
}

function batch(database: Database, sender: number, seq: number, names: string[]): IngestBatch {
  const make = statementMaker(database.engine);
  return {
    guard: make("update senders set seq = ? where id = ? and seq = ?", [seq, sender, seq - 1]),
    statements: names.map((name) =>
      make("insert into things (name, size, data) values (?, ?, ?)", [name, seq, null]),
    ),
    procedures: [],
    lane: sender,
  };
}

const namesOf = async (tables: Kysely<Tables>) =>
  (await tables.selectFrom("things").select("name").orderBy("id").execute()).map((row) => row.name);

describe("the database", () => {
  it("reads what was just written, with integers, bytes and nulls as they were", async () => {
    const { database, tables } = await open();
    const data = new Uint8Array([0, 1, 255]);
    const row = await tables
      .insertInto("things")
      .values({ name: "one", size: Number.MAX_SAFE_INTEGER, data } as never)
      .returning(["id"])
      .executeTakeFirstOrThrow();
    const [read] = await database.read<Tables["things"]>("select * from things where id = ?", [
      row.id,
    ]);
    expect(read).toMatchObject({ id: 1, name: "one", size: Number.MAX_SAFE_INTEGER });
    expect(read?.data).toBeInstanceOf(Uint8Array);
    expect([...(read?.data ?? [])]).toEqual([0, 1, 255]);
    const through = await tables.selectFrom("things").selectAll().executeTakeFirst();
    expect(through).toMatchObject({ id: 1, name: "one" });
  });

  it("counts the rows that a write changed", async () => {
    const { tables } = await open();
    await tables
      .insertInto("senders")
      .values([
        { id: 1, seq: 0 },
        { id: 2, seq: 0 },
      ])
      .execute();
    const changed = await tables.updateTable("senders").set({ seq: 5 }).executeTakeFirst();
    expect(changed.numUpdatedRows).toBe(2n);
  });

  it("stores nothing of a transaction that throws", async () => {
    const { database, tables } = await open();
    const work = database.transaction(async (transaction) => {
      await transaction
        .withTables<Tables>()
        .insertInto("things")
        .values({ name: "x" } as never)
        .execute();
      throw new Error("changed my mind");
    });
    await expect(work).rejects.toThrow("changed my mind");
    expect(await namesOf(tables)).toEqual([]);
  });

  it("sees its own writes inside a transaction, and nobody else does before the commit", async () => {
    const { database, tables } = await open();
    await database.transaction(async (transaction) => {
      const inside = transaction.withTables<Tables>() as unknown as Kysely<Tables>;
      await inside
        .insertInto("things")
        .values({ name: "x" } as never)
        .execute();
      expect(await namesOf(inside)).toEqual(["x"]);
      expect(await namesOf(tables)).toEqual([]);
    });
    expect(await namesOf(tables)).toEqual(["x"]);
  });

  it("keeps a concurrent write that came while a transaction rolled back", async () => {
    const { database, tables } = await open();
    await tables.insertInto("senders").values({ id: 1, seq: 0 }).execute();
    let others: Promise<unknown>[] = [];
    const rolledBack = database.transaction(async (transaction) => {
      const inside = transaction.withTables<Tables>() as unknown as Kysely<Tables>;
      await inside
        .insertInto("things")
        .values({ name: "inside" } as never)
        .execute();
      others = [
        tables
          .insertInto("things")
          .values({ name: "beside" } as never)
          .execute(),
        database.ingest(batch(database, 1, 1, ["ingested"])),
        database.transaction((next) =>
          next
            .withTables<Tables>()
            .insertInto("things")
            .values({ name: "next" } as never)
            .execute(),
        ),
      ];
      await inside
        .insertInto("things")
        .values({ name: "inside too" } as never)
        .execute();
      throw new Error("roll back");
    });
    await expect(rolledBack).rejects.toThrow("roll back");
    await Promise.all(others);
    expect((await namesOf(tables)).sort()).toEqual(["beside", "ingested", "next"]);
  });

  it("runs many transactions at once without losing a count", async () => {
    const { database, tables } = await open();
    await tables.insertInto("senders").values({ id: 1, seq: 0 }).execute();
    const add = () =>
      database.transaction(async (transaction) => {
        const inside = transaction.withTables<Tables>();
        const { seq } = await inside
          .selectFrom("senders")
          .select("seq")
          .where("id", "=", 1)
          .forUpdate()
          .executeTakeFirstOrThrow();
        await inside
          .updateTable("senders")
          .set({ seq: seq + 1 })
          .where("id", "=", 1)
          .execute();
      });
    await Promise.all(Array.from({ length: 30 }, add));
    expect(await tables.selectFrom("senders").select("seq").executeTakeFirst()).toMatchObject({
      seq: 30,
    });
  });

  it("names a broken unique rule alike on both engines", async () => {
    const { tables } = await open();
    const insert = () =>
      tables
        .insertInto("things")
        .values({ name: "same" } as never)
        .execute();
    await insert();
    const failure = await insert().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConstraintViolation);
    expect((failure as ConstraintViolation).kind).toBe("unique");
  });

  it("commits a batch once, and skips its repeat whole", async () => {
    const { database, tables } = await open();
    await tables.insertInto("senders").values({ id: 1, seq: 0 }).execute();
    const first = await database.ingest(batch(database, 1, 1, ["a", "b"]));
    expect(first).toEqual({ status: "committed", results: [] });
    expect(await database.ingest(batch(database, 1, 1, ["a", "b"]))).toEqual({ status: "skipped" });
    expect(await namesOf(tables)).toEqual(["a", "b"]);
  });

  it("refuses a broken batch alone, and commits those that shared its transaction", async () => {
    const { database, tables } = await open();
    await tables
      .insertInto("senders")
      .values([1, 2, 3].map((id) => ({ id, seq: 0 })))
      .execute();
    const outcomes = await Promise.allSettled([
      database.ingest(batch(database, 1, 1, ["a"])),
      database.ingest(batch(database, 2, 1, ["b", "b"])),
      database.ingest(batch(database, 3, 1, ["c"])),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect((await namesOf(tables)).sort()).toEqual(["a", "c"]);
    // The refused one may come again: its guard was rolled back with it.
    expect(await database.ingest(batch(database, 2, 1, ["d"]))).toMatchObject({
      status: "committed",
    });
  });

  it("commits many senders' batches in each sender's order", async () => {
    const { database, tables } = await open();
    const senders = [1, 2, 3, 4, 5, 6];
    await tables
      .insertInto("senders")
      .values(senders.map((id) => ({ id, seq: 0 })))
      .execute();
    const outcomes = await Promise.all(
      senders.flatMap((sender) =>
        Array.from({ length: 40 }, (_, index) =>
          database.ingest(batch(database, sender, index + 1, [`${sender}-${index + 1}`])),
        ),
      ),
    );
    expect(outcomes.every(({ status }) => status === "committed")).toBe(true);
    expect(await namesOf(tables)).toHaveLength(240);
  });

  it("finishes what was handed over before it closes", async () => {
    const { database, tables } = await open();
    await tables.insertInto("senders").values({ id: 1, seq: 0 }).execute();
    const pending = Array.from({ length: 400 }, (_, index) =>
      database.ingest(batch(database, 1, index + 1, [String(index)])),
    );
    await database.close();
    const outcomes = await Promise.all(pending);
    expect(outcomes.every(({ status }) => status === "committed")).toBe(true);
  });

  it("fails a procedure that no room has registered, and goes on", async () => {
    const { database, tables } = await open();
    await expect(database.call({ name: "no-such", payload: 1 })).rejects.toThrow("no-such");
    await tables
      .insertInto("things")
      .values({ name: "after" } as never)
      .execute();
    expect(await namesOf(tables)).toEqual(["after"]);
  });

  if (testEngine === "sqlite")
    it("closes at once though a transaction is open, and refuses the rest of it", async () => {
      const { database, tables } = await open();
      const insert = (on: Kysely<Tables>, name: string) =>
        on
          .insertInto("things")
          .values({ name } as never)
          .execute();
      await insert(tables, "before");
      let close = Promise.resolve();
      const left = database.transaction(async (transaction) => {
        const within = transaction.withTables<Tables>() as unknown as Kysely<Tables>;
        await insert(within, "half");
        close = database.close();
        await insert(within, "rest");
      });
      await expect(left).rejects.toMatchObject({ code: "shutting-down" });
      await close;
      // Far below the 30 s after which the write thread itself ends a transaction that was forgotten.
    }, 15_000);

  if (testEngine === "postgres")
    it("goes on after PostgreSQL has cut every connection", async () => {
      const { database, tables } = await open();
      await tables.insertInto("senders").values({ id: 1, seq: 0 }).execute();
      const cut = `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = current_setting('application_name') and pid <> pg_backend_pid()`;
      const isInTransaction = database.transaction(async (transaction) => {
        await transaction
          .withTables<Tables>()
          .insertInto("things")
          .values({ name: "lost" } as never)
          .execute();
        await database.read(cut);
        await transaction.withTables<Tables>().selectFrom("things").selectAll().execute();
      });
      await expect(isInTransaction).rejects.toMatchObject({ code: "database-busy" });
      const retry = async () => (await database.ingest(batch(database, 1, 1, ["kept"]))).status;
      await expect.poll(() => retry().catch(() => "busy")).not.toBe("busy");
      expect(await namesOf(tables)).toEqual(["kept"]);
    });
});
