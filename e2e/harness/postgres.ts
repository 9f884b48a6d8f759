// A database of its own for each house, in the cluster that the test script started.
import { randomBytes } from "node:crypto";
import pg from "pg";

export async function freshDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const base = process.env.SPOTTER_TEST_DATABASE_URL;
  if (base === undefined)
    throw new Error("SPOTTER_TEST_DATABASE_URL is not set; run this through npm test");
  const name = `house_${randomBytes(6).toString("hex")}`;
  await administer(base, `create database ${name}`);
  // Not through URL: an address without a host, for a unix socket, is none that it knows.
  const url = base.replace(/^(postgres(?:ql)?:\/\/[^/]*)\/[^?]*/, `$1/${name}`);
  return {
    url,
    drop: () => administer(base, `drop database if exists ${name} with (force)`),
  };
}

async function administer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
