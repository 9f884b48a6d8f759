// The whole house for a test: the built server as a process of its own, in a fresh data folder, with an administrator.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { HttpClient } from "@spotter/client";
import { type ApiToken, createRun, getRun, type Run } from "@spotter/contract";
import { freshDatabase } from "./postgres.ts";
import { until } from "./until.ts";

const serverFile = fileURLToPath(new URL("../../dist/server/main.js", import.meta.url));
const FINAL = ["finished", "failed", "stopped", "cancelled"];
export const ADMIN = { name: "ada", password: "correct horse battery" };

export interface HouseOptions {
  readonly database?: "sqlite" | "postgres";
  readonly env?: Readonly<Record<string, string>>;
}

/** One server with its data; survives being killed and started again at the same address. */
export class House {
  readonly url: string;
  readonly home: string;
  readonly client: HttpClient;
  readonly token: string;
  readonly #env: Record<string, string>;
  readonly #dropDatabase: () => Promise<void>;
  #server: ChildProcess;
  /** What the server printed, for a failing test's message. */
  readonly output: string[];

  private constructor(parts: {
    url: string;
    home: string;
    token: string;
    env: Record<string, string>;
    dropDatabase: () => Promise<void>;
    server: ChildProcess;
    output: string[];
  }) {
    this.url = parts.url;
    this.home = parts.home;
    this.token = parts.token;
    this.client = new HttpClient({ baseUrl: parts.url, token: parts.token });
    this.#env = parts.env;
    this.#dropDatabase = parts.dropDatabase;
    this.#server = parts.server;
    this.output = parts.output;
  }

  static async open(options: HouseOptions = {}): Promise<House> {
    const home = mkdtempSync(join(tmpdir(), "spotter-house-"));
    const port = await freePort();
    const database = options.database === "postgres" ? await freshDatabase() : undefined;
    const env = {
      SPOTTER_HOME: home,
      SPOTTER_PORT: String(port),
      SPOTTER_LOG_LEVEL: "info",
      ...(database === undefined ? {} : { DATABASE_URL: database.url }),
      ...options.env,
    };
    const output: string[] = [];
    const { server, setupSecret } = await startServer(env, output);
    const url = `http://127.0.0.1:${port}`;
    const token = await createAdmin(url, setupSecret);
    return new House({
      url,
      home,
      token,
      env,
      dropDatabase: database?.drop ?? (() => Promise.resolve()),
      server,
      output,
    });
  }

  /** `kill -9`: nothing is said, nothing is flushed. */
  async kill(): Promise<void> {
    const exited = once(this.#server, "exit");
    this.#server.kill("SIGKILL");
    await exited;
  }

  /** Resolves when the server has ended by itself, as at a fail-point. */
  async ended(): Promise<void> {
    if (this.#server.exitCode === null && this.#server.signalCode === null)
      await once(this.#server, "exit");
  }

  get isUp(): boolean {
    return this.#server.exitCode === null && this.#server.signalCode === null;
  }

  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const { server } = await startServer({ ...this.#env, ...env }, this.output);
    this.#server = server;
  }

  async stop(): Promise<void> {
    if (!this.isUp) return;
    const exited = once(this.#server, "exit");
    this.#server.kill("SIGTERM");
    await exited;
  }

  /** Ends everything. The data folder stays when a test failed: its path is in the message. */
  async close(): Promise<void> {
    await this.stop();
    await this.#dropDatabase();
    rmSync(this.home, { recursive: true, force: true });
  }

  train(config: Record<string, string | number | boolean | null>, name = "test"): Promise<Run> {
    return this.client.call(createRun, { body: { recipe: "vision", name, config } });
  }

  run(id: number): Promise<Run> {
    return this.client.call(getRun, { params: { run_id: id } });
  }

  /** Waits until a run is in a state; fails at once when it ends in another. */
  untilState(id: number, ...states: string[]): Promise<Run> {
    return until(`run ${id} is ${states.join(" or ")}`, async () => {
      const run = await this.run(id);
      if (states.includes(run.state)) return run;
      if (FINAL.includes(run.state))
        throw new Error(
          `run ${id} ended as ${run.state}: ${run.reason ?? ""} ${run.error?.message ?? ""}\n${this.output.join("").slice(-2000)}`,
        );
      return undefined;
    });
  }

  /** The processes of one attempt, from the file that its supervisor keeps. */
  processes(id: number, attempt = 1): { supervisor: number; worker: number } {
    const file = join(
      this.home,
      "runs",
      String(id),
      "attempts",
      String(attempt),
      "supervisor.json",
    );
    const facts = JSON.parse(readFileSync(file, "utf8")) as { pid: number; worker_pid: number };
    return { supervisor: facts.pid, worker: facts.worker_pid };
  }
}

async function startServer(
  env: Record<string, string>,
  output: string[],
): Promise<{ server: ChildProcess; setupSecret: string | null }> {
  const server = fork(serverFile, [], {
    // The arenas as in `npm start`.
    env: { ...process.env, NODE_ENV: "production", MALLOC_ARENA_MAX: "2", ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const keep = (chunk: Buffer) => {
    output.push(chunk.toString("utf8"));
    if (output.length > 2000) output.splice(0, 1000);
  };
  server.stdout?.on("data", keep);
  server.stderr?.on("data", keep);
  return new Promise((resolve, reject) => {
    server.once("exit", (code, signal) => {
      // At a fail-point it may be gone before it could say that it listens: that is what was asked for.
      if (env.SPOTTER_FAILPOINT !== undefined && signal === "SIGKILL")
        resolve({ server, setupSecret: null });
      else
        reject(
          new Error(
            `the server ended before it listened (${code ?? signal}):\n${output.join("").slice(-4000)}`,
          ),
        );
    });
    server.on("message", (message: { type?: string; setup_secret?: string | null }) => {
      if (message.type === "listening")
        resolve({ server, setupSecret: message.setup_secret ?? null });
    });
  });
}

async function createAdmin(url: string, setupSecret: string | null): Promise<string> {
  if (setupSecret === null) throw new Error("a fresh server gave no set-up secret");
  await post(`${url}/api/auth/setup`, { ...ADMIN, setup_token: setupSecret });
  const made = await post<{ secret: string; token: ApiToken }>(`${url}/api/auth/token`, {
    ...ADMIN,
    token_name: "whole-house test",
  });
  return made.secret;
}

async function post<T>(url: string, body: unknown): Promise<T> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** A port that nobody has now: the server must come back at the same one after a kill. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
