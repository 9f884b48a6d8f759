// Migrations: forward only, once, together, with a copy before.
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { sql } from "kysely";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/platform/clock.ts";
import type { Database, Migration } from "../../src/platform/db/database.ts";
import { migrate } from "../../src/platform/db/migrate.ts";
import { migrations as released } from "../../src/rooms.ts";
import { makeTestPlace, openPlace, type TestPlace, testEngine } from "../database.ts";

const first: Migration = {
  name: "0001-first",
  statements: (types) => [`create table first (id ${types.identity}, name ${types.text})`],
};
const second: Migration = {
  name: "0002-second",
  statements: (types) => [
    "insert into first (name) values ('kept')",
    `alter table first add column size ${types.integer}`,
  ],
};
const broken: Migration = {
  name: "0003-broken",
  statements: () => ["insert into first (name) values ('half')", "insert into nowhere values (1)"],
};

async function openAt(place: TestPlace): Promise<Database> {
  const database = await openPlace(place);
  onTestFinished(() => database.close());
  return database;
}

function run(place: TestPlace, database: Database, migrations: readonly Migration[]) {
  const backupFolder = path.join(place.folder, "backup");
  return migrate({ database, migrations, clock: systemClock, backupFolder });
}

describe("migrations", () => {
  it("run once, and the second start finds nothing to do", async () => {
    const place = await makeTestPlace();
    const database = await openAt(place);
    expect((await run(place, database, [first, second])).applied).toEqual([
      "0001-first",
      "0002-second",
    ]);
    expect(await run(place, database, [first, second])).toEqual({ applied: [], backup: null });
  });

  it("copy an existing SQLite file before they change it, and a new one never", async () => {
    const place = await makeTestPlace();
    const database = await openAt(place);
    expect((await run(place, database, [first])).backup).toBeNull();
    const { backup } = await run(place, database, [first, second]);
    if (testEngine === "postgres") {
      expect(backup).toBeNull();
      return;
    }
    expect(readdirSync(path.join(place.folder, "backup"))).toEqual([path.basename(backup ?? "")]);
    const copy = new DatabaseSync(backup ?? "", { readOnly: true });
    expect(copy.prepare("select count(*) as n from first").get()).toMatchObject({ n: 0 });
    copy.close();
  });

  it("leave nothing of a step that fails, and keep the steps before it", async () => {
    const place = await makeTestPlace();
    const database = await openAt(place);
    await expect(run(place, database, [first, second, broken])).rejects.toThrow("nowhere");
    const rows = await database.read<{ name: string }>("select name from first");
    expect(rows.map(({ name }) => name)).toEqual(["kept"]);
    expect(await run(place, database, [first, second])).toMatchObject({ applied: [] });
  });

  it("refuse a database that is newer than the code", async () => {
    const place = await makeTestPlace();
    const database = await openAt(place);
    await run(place, database, [first, second]);
    await expect(run(place, database, [first])).rejects.toThrow(
      /made by a newer Spotter.*0002-second/,
    );
  });

  it("refuse two steps of one name", async () => {
    const place = await makeTestPlace();
    const database = await openAt(place);
    await expect(run(place, database, [first, first])).rejects.toThrow("0001-first");
  });

  it("run once when two servers start at the same moment", async () => {
    const place = await makeTestPlace();
    const databases =
      testEngine === "postgres"
        ? [await openAt(place), await openAt(place)]
        : [await openAt(place)];
    const reports = await Promise.all(
      databases.map((database) => run(place, database, [first, second])),
    );
    expect(reports.flatMap(({ applied }) => applied).sort()).toEqual(["0001-first", "0002-second"]);
  });

  it("of the rooms make a whole schema", async () => {
    const place = await makeTestPlace();
    const database = await openAt(place);
    const report = await run(place, database, released);
    expect(report.applied).toHaveLength(released.length);
    expect(existsSync(path.join(place.folder, "backup"))).toBe(false);
  });

  it("keep hold of attempts that run while the server is brought up to date", async () => {
    const place = await makeTestPlace();
    const database = await openAt(place);
    await run(
      place,
      database,
      released.filter(({ name }) => name !== "0005-any-executor"),
    );
    await database.transaction(async (transaction) => {
      await sql`insert into jobs (kind, project_id, name, state, created_at)
        values ('train', 1, 'digits', 'running', 1)`.execute(transaction);
      for (const [attempt, pid, born] of [
        [1, null, null],
        [2, 4711, "98765"],
      ])
        await sql`insert into attempts (job_id, attempt, state, started_at, pid, pid_start_time)
          select max(id), cast(${attempt} as integer), 'running', 1, cast(${pid} as integer),
          cast(${born} as text) from jobs`.execute(transaction);
    });
    await run(place, database, released);
    const rows = await database.read<{ ref: string | null }>(
      "select executor_ref as ref from attempts order by attempt",
    );
    expect(rows.map(({ ref }) => ref)).toEqual([null, "4711:98765"]);
  });

  it("leave one last checkpoint to runs that called each of theirs so", async () => {
    const place = await makeTestPlace();
    const database = await openAt(place);
    const before = released.filter(({ name }) => name !== "0006-one-last-checkpoint");
    await run(place, database, before);
    await database.transaction(async (transaction) => {
      for (const id of [1, 2]) {
        await sql`insert into jobs (id, kind, project_id, name, state, created_at)
          values (${sql.lit(id)}, 'train', 1, 'digits', 'finished', 1)`.execute(transaction);
        await sql`insert into runs (id, project_id, name, name_key, source, state, note, tags,
            search_text, config, created_at)
          values (${sql.lit(id)}, 1, 'digits', 'digits', 'recipe', 'finished', '', '[]', '', '{}', 1)`.execute(
          transaction,
        );
      }
      for (const [runId, step, label] of [
        [1, 10, "last"],
        [1, 20, "best"],
        [1, 30, "last"],
        [2, 5, "last"],
      ] as const)
        await sql`insert into run_files (run_id, kind, path, size, sha256, attempt, step, metrics, label, created_at)
          values (${sql.lit(runId)}, 'checkpoint', ${sql.lit(`checkpoints/${step}`)}, 1, 'x', 1, ${sql.lit(step)},
            '{}', ${sql.lit(label)}, ${sql.lit(step)})`.execute(transaction);
    });
    await run(place, database, released);
    expect(await database.read("select label from run_files order by run_id, step")).toEqual(
      [null, "best", "last", "last"].map((label) => ({ label })),
    );
  });

  it("fill in how long runs of before have trained", async () => {
    const place = await makeTestPlace();
    const database = await openAt(place);
    const before = released.filter(({ name }) => name !== "0005-runs-trained-time");
    await run(place, database, before);
    await database.transaction(async (transaction) => {
      const states = ["finished", "stopped", "running", "paused", "queued"];
      for (const [index, state] of states.entries()) {
        const id = index + 1;
        const [start, end] = [state === "queued" ? null : 100, index < 2 ? 200 : null];
        await sql`insert into jobs (id, kind, project_id, name, state, created_at)
          values (${sql.lit(id)}, 'train', 1, 'digits', ${sql.lit(state)}, 1)`.execute(transaction);
        await sql`insert into runs (id, project_id, name, name_key, source, state, note, tags,
            search_text, config, created_at, started_at, ended_at, last_event_at)
          values (${sql.lit(id)}, 1, 'digits', 'digits', 'recipe', ${sql.lit(state)}, '', '[]', '', '{}',
            1, ${sql.lit(start)}, ${sql.lit(end)}, 190)`.execute(transaction);
      }
      for (const [id, attempt, start, end] of [
        [1, 1, 95, 201],
        // It waited from 110 to 185.
        [2, 1, 95, 110],
        [2, 2, 185, 200],
        [3, 1, 95, 110],
        [3, 2, 180, null],
        [4, 1, 95, null],
      ] as const)
        await sql`insert into attempts (job_id, attempt, state, first_step, started_at, ended_at)
          values (${sql.lit(id)}, ${sql.lit(attempt)}, 'ended', 0, ${sql.lit(start)}, ${sql.lit(end)})`.execute(
          transaction,
        );
    });
    await run(place, database, released);
    expect(
      await database.read("select trained_s, training_since from runs order by id"),
    ).toMatchObject([
      { trained_s: 100, training_since: null },
      { trained_s: 25, training_since: null },
      { trained_s: 10, training_since: 180 },
      { trained_s: 90, training_since: null },
      { trained_s: 0, training_since: null },
    ]);
  });
});
