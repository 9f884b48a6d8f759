import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SqliteConnection } from "./sqlite-connection.ts";

let folder: string;
let connection: SqliteConnection;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "spotter-sqlite-"));
  connection = SqliteConnection.openWriter(path.join(folder, "test.db"));
  connection.exec("create table readings (id integer primary key, value double precision)");
});
afterEach(() => {
  connection.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("a number in a column of reals", () => {
  it.each([
    1e-15,
    Number.EPSILON,
    1e-16,
    1.2345678901234567e-100,
    Number.MIN_VALUE,
    -1e-16,
    -Number.MIN_VALUE,
    0,
    3,
    2 ** 60,
    Number.MAX_VALUE,
    Number.POSITIVE_INFINITY,
  ])("%d is stored as itself and found again", (value) => {
    connection.run("insert into readings (value) values (?)", [value]);
    connection.run("update readings set value = ?", [value]);
    const found = connection.all<{ value: number; kind: string }>(
      "select value, typeof(value) as kind from readings where value = ? and value <= ?",
      [value, value],
    );
    expect(found.map((row) => ({ ...row }))).toEqual([{ value, kind: "real" }]);
  });
});
