// The server as a process of its own: what it prints, leaves and refuses when it starts and ends.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { signInForToken } from "@spotter/contract";
import * as esbuild from "esbuild";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { makeTestPlace, type TestPlace } from "../database.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const outFolder = path.join(root, `.cache/test/server-${process.pid}`);

beforeAll(async () => {
  mkdirSync(outFolder, { recursive: true });
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: ["apps/server/src/main.ts", "apps/server/src/db-thread.ts"],
    outdir: outFolder,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    alias: {
      "@spotter/contract": path.join(root, "packages/contract/src/index.ts"),
      "@spotter/tfevents": path.join(root, "packages/tfevents/src/index.ts"),
    },
    logLevel: "warning",
  });
});
afterAll(() => rmSync(outFolder, { recursive: true, force: true }));

interface Started {
  readonly child: ChildProcess;
  /** Everything it printed so far. */
  readonly output: () => string;
  /** Undefined when it ended instead. */
  readonly listening: Promise<{ url: string; setup_secret: string | null } | undefined>;
  readonly exited: Promise<readonly [number | null, NodeJS.Signals | null]>;
}

function start(place: TestPlace, env: Record<string, string> = {}): Started {
  const child = fork(path.join(outFolder, "main.js"), [], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: {
      PATH: process.env.PATH,
      SPOTTER_HOME: path.join(place.folder, "home"),
      SPOTTER_PORT: "0",
      ...(place.databaseUrl === undefined ? {} : { DATABASE_URL: place.databaseUrl }),
      ...env,
    },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  const exited = once(child, "close").then(
    ([code, signal]) => [code, signal] as [number | null, NodeJS.Signals | null],
  );
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const listening = new Promise<Awaited<Started["listening"]>>((resolve) => {
    child.on("message", (message) => resolve(message as { url: string; setup_secret: string }));
    child.once("exit", () => resolve(undefined));
  });
  return { child, output: () => text, listening, exited };
}

/** Calls as the administrator, whom the first call here makes. */
async function signedIn(news: { url: string; setup_secret: string | null } | undefined) {
  if (news === undefined) throw new Error("The server ended instead of listening.");
  const account = { name: "ada", password: "correct horse battery" };
  const send = async (method: string, address: string, body?: unknown, token = "") => {
    const response = await fetch(`${news.url}${address}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${address}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  if (news.setup_secret !== null)
    await send("POST", "/api/auth/setup", { ...account, setup_token: news.setup_secret });
  const made = (await send("POST", signInForToken.path, { ...account, token_name: "test" })) as {
    secret: string;
  };
  return (method: string, address: string, body?: unknown) =>
    send(method, address, body, made.secret);
}

const inHome = (place: TestPlace, name: string) => path.join(place.folder, "home", name);

describe("the server's process", () => {
  it("prints its address and the set-up link, and leaves its address for workers", async () => {
    const place = await makeTestPlace();
    const server = start(place);
    const news = await server.listening;
    expect(news?.setup_secret).toBeTruthy();
    const link = `${news?.url}/setup?token=${news?.setup_secret}`;
    await expect.poll(server.output).toContain(link);
    const facts = JSON.parse(readFileSync(inHome(place, "server.json"), "utf8"));
    expect(facts).toMatchObject({ url: news?.url, pid: server.child.pid });
    const health = await fetch(`${news?.url}/api/system/health`);
    expect(health.status).toBe(200);
  });

  it("ends in order on SIGTERM, says that trainings go on, and leaves no lock", async () => {
    const place = await makeTestPlace();
    const server = start(place);
    await server.listening;
    server.child.kill("SIGTERM");
    expect(await server.exited).toEqual([0, null]);
    expect(server.output()).toContain("Trainings that run go on");
    for (const name of ["server.json", "server.lock"])
      expect(existsSync(inHome(place, name))).toBe(false);
    // Everything is in the one database file: a copy of it is a backup.
    const log = statSync(inHome(place, "spotter.db-wal"), { throwIfNoEntry: false });
    expect(log?.size ?? 0).toBe(0);
  });

  it("refuses a data folder whose server runs, with its process and since when", async () => {
    const place = await makeTestPlace();
    const first = start(place);
    await first.listening;
    const second = start(place);
    expect(await second.exited).toEqual([1, null]);
    expect(second.output()).toMatch(new RegExp(`process ${first.child.pid}, since 2`));
    expect(second.output()).not.toMatch(/\n\s+at /);
    const news = await first.listening;
    expect((await fetch(`${news?.url}/api/system/health`)).status).toBe(200);
    expect(JSON.parse(readFileSync(inHome(place, "server.json"), "utf8")).url).toBe(news?.url);
  });

  it("lets one of several in that find the lock of a server that was killed", async () => {
    const place = await makeTestPlace();
    mkdirSync(path.join(place.folder, "home"), { recursive: true });
    const holder = { pid: 2 ** 22 + 1, start_time: "1", since: 1_700_000_000 };
    writeFileSync(inHome(place, "server.lock"), JSON.stringify(holder));
    const servers = [start(place), start(place), start(place), start(place)];
    const news = await Promise.all(servers.map(({ listening }) => listening));
    expect(news.filter((one) => one !== undefined)).toHaveLength(1);
    for (const [index, server] of servers.entries()) {
      if (news[index] !== undefined) continue;
      expect(await server.exited).toEqual([1, null]);
      expect(server.output()).toMatch(/belongs to a Spotter server|several servers start/);
    }
  });

  it("leaves nothing that another user of the machine could read", async () => {
    const place = await makeTestPlace();
    const server = start(place);
    await server.listening;
    const home = path.join(place.folder, "home");
    expect(statSync(home).mode & 0o777).toBe(0o700);
    const readable = readdirSync(home, { recursive: true })
      .map((name) => path.join(home, String(name)))
      .filter((file) => (statSync(file).mode & 0o077) !== 0);
    expect(readable).toEqual([]);
    expect(statSync(inHome(place, "cookie.key")).mode & 0o777).toBe(0o600);
  });

  it("stores everything that it acknowledged before SIGTERM", async () => {
    const place = await makeTestPlace();
    const first = start(place);
    const call = await signedIn(await first.listening);
    const run = (await call("POST", "/api/runs", { name: "until the end" })) as { id: number };
    const batch = (seq: number) => ({
      ...{ protocol: 1, attempt: 1, seq },
      events: [
        { type: "metric-points", series: { loss: { step: [seq], time: [seq], value: [seq] } } },
      ],
    });
    let acknowledged = 0;
    const sending = (async () => {
      for (;;) {
        await call("POST", `/api/runs/${run.id}/events`, batch(acknowledged + 1));
        acknowledged += 1;
      }
    })().catch(() => undefined);
    await expect.poll(() => acknowledged, { timeout: 20_000 }).toBeGreaterThan(30);
    first.child.kill("SIGTERM");
    await sending;
    expect(await first.exited).toEqual([0, null]);
    const again = await signedIn(await start(place).listening);
    const page = (await again(
      "GET",
      `/api/runs/${run.id}/metrics/points?name=loss&limit=10000`,
    )) as {
      step: number[];
    };
    const all = Array.from({ length: page.step.length }, (_, index) => index + 1);
    expect(page.step).toEqual(all);
    // One more may have been stored, whose answer did not get out any more.
    expect([acknowledged, acknowledged + 1]).toContain(all.length);
  });

  it("takes over after kill -9, and keeps who is administrator", async () => {
    const place = await makeTestPlace();
    const first = start(place);
    const news = await first.listening;
    const answer = await fetch(`${news?.url}/api/auth/setup`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        name: "ada",
        password: "correct horse battery",
        setup_token: news?.setup_secret,
      }),
    });
    expect(answer.status).toBe(201);
    first.child.kill("SIGKILL");
    await first.exited;
    mkdirSync(inHome(place, "tmp/uploads"), { recursive: true });
    writeFileSync(inHome(place, "tmp/uploads/half.zip"), "PK");
    const second = start(place);
    expect(await second.listening).toMatchObject({ setup_secret: null });
    expect(existsSync(inHome(place, "tmp/uploads/half.zip"))).toBe(false);
  });

  it("takes the next free port when the wished one is taken, and says so", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    onTestFinished(() => {
      taken.close();
    });
    const { port } = taken.address() as { port: number };
    const server = start(await makeTestPlace(), { SPOTTER_PORT: String(port) });
    const news = await server.listening;
    expect(Number(new URL(news?.url ?? "").port)).toBeGreaterThan(port);
    expect(server.output()).toContain(`Port ${port} is taken`);
  });

  it("does not start with a bad setting, and names it", async () => {
    const server = start(await makeTestPlace(), { SPOTTER_REGISTRATION: "maybe" });
    expect(await server.exited).toEqual([1, null]);
    expect(server.output()).toMatch(/^SPOTTER_REGISTRATION must be closed, open or invitation/);
  });
});
