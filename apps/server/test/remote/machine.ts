// A machine for tests: an agent in a process of its own, with a folder of its own, and all that it starts. It can be
// cut off, come back, and be lost with everything on it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { isAlive } from "../../src/domains/queue/tools/process-identity.ts";
import { PYTHON } from "../harness.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

interface SupervisorFacts {
  readonly pid: number;
  readonly start_time: string;
  readonly worker_pid: number | null;
  readonly worker_start_time: string | null;
}

export class Machine {
  readonly folder = mkdtempSync(path.join(tmpdir(), "spotter-machine-"));
  #agent: ChildProcess | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** At the same address as before, if there was one. */
  async startAgent(): Promise<void> {
    const script = "apps/server/test/remote/agent.ts";
    const agent = spawn(
      process.execPath,
      ["scripts/run-ts.mjs", script, this.folder, PYTHON, String(this.#port)],
      { cwd: root, stdio: ["ignore", "pipe", "inherit"] },
    );
    this.#agent = agent;
    const [line] = (await Promise.race([
      once(agent.stdout, "data"),
      once(agent, "exit").then(() => {
        throw new Error("the agent ended before it listened");
      }),
    ])) as [Buffer];
    this.#port = (JSON.parse(line.toString()) as { port: number }).port;
  }

  /** Its trainings go on. */
  async killAgent(): Promise<void> {
    const agent = this.#agent;
    if (agent === undefined || agent.exitCode !== null || agent.signalCode !== null) return;
    agent.kill("SIGKILL");
    await once(agent, "exit");
  }

  /** Power cut: the agent, and all that it has started. */
  async die(): Promise<void> {
    await this.killAgent();
    for (const facts of this.supervisors()) {
      // The supervisor first: it would tell of its worker's end.
      if (await isAlive(facts.pid, facts.start_time)) process.kill(facts.pid, "SIGKILL");
      const { worker_pid: worker, worker_start_time: born } = facts;
      if (worker !== null && born !== null && (await isAlive(worker, born)))
        process.kill(-worker, "SIGKILL");
    }
  }

  /** Another one in its place: nothing of what it had is left. */
  wipe(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  supervisors(): SupervisorFacts[] {
    const runs = path.join(this.folder, "runs");
    if (!existsSync(runs)) return [];
    return readdirSync(runs).flatMap((run) => {
      const attempts = path.join(runs, run, "attempts");
      const names = existsSync(attempts) ? readdirSync(attempts) : [];
      return names
        .map((attempt) => path.join(attempts, attempt, "supervisor.json"))
        .filter((file) => existsSync(file))
        .map((file) => JSON.parse(readFileSync(file, "utf8")) as SupervisorFacts);
    });
  }
}
