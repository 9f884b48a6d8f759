// The server as a process of its own: what it prints, leaves and refuses when it starts and ends.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
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
    const second = start(place);
    expect(await second.listening).toMatchObject({ setup_secret: null });
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
