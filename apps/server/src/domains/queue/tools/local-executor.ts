// Runs attempts on this machine: one detached Python supervisor each, found again by pid and start time.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { redact } from "../../../platform/secrets.ts";
import type {
  AttemptHandle,
  AttemptState,
  Executor,
  StagedAttempt,
  StopForce,
} from "../executor.ts";
import type { MachineNow } from "../planner.ts";
import {
  type AttemptPlace,
  attemptFolder,
  readExitFile,
  readLastLines,
  readSupervisorFile,
  type SupervisorFile,
  writeAttemptFolder,
  writeStopFile,
} from "./attempt-folder.ts";
import { isAlive, startTimeOf } from "./process-identity.ts";

/** Below the server, so that a training on all cores does not delay its live streams. */
const WORKER_NICENESS = 10;

export interface LocalExecutorOptions {
  /** The data folder; absolute. */
  readonly home: string;
  /** The folder of a job's files in it. */
  readonly runDir: (jobId: number) => string;
  /** What this machine has for trainings; null while nobody knows yet whether there are GPUs. */
  readonly machine: () => MachineNow | null;
  /** The Python program of the workers' environment. */
  readonly python: string;
  /** The folders that hold the packages `spotter_worker` and `spotter`. */
  readonly workerSources: readonly string[];
  /** Values that no line may hold; the supervisor keeps them out of those that it passes on. */
  readonly secrets: readonly string[];
}

export class LocalExecutor implements Executor {
  readonly name = "local";
  readonly files = null;
  /** This machine always answers. */
  readonly patienceS = Number.POSITIVE_INFINITY;
  readonly #options: LocalExecutorOptions;

  constructor(options: LocalExecutorOptions) {
    this.#options = options;
  }

  unavailable(): string | null {
    if (existsSync(this.#options.python)) return null;
    return "No Python environment is set up for training; run `npm start` once more and read its output.";
  }

  machine(): MachineNow | null {
    return this.#options.machine();
  }

  /** Code and data are on this disk already. */
  stage({ spec, token }: StagedAttempt): Promise<void> {
    return writeAttemptFolder(this.#options.runDir(spec.job_id), spec, token);
  }

  start(handle: AttemptHandle): Promise<string> {
    return this.#spawn(handle, []);
  }

  adopt(handle: AttemptHandle): Promise<string> {
    return this.#spawn(handle, ["--adopt"]);
  }

  async find(handle: AttemptHandle): Promise<string | null> {
    const file = await readSupervisorFile(this.#placeOf(handle));
    return file === null ? null : refOf(file.pid, file.start_time);
  }

  async state(handle: AttemptHandle): Promise<AttemptState> {
    if (await isSupervisorAlive(handle)) return { kind: "running" };
    const place = this.#placeOf(handle);
    return {
      kind: "orphaned",
      worker: await workerState(await readSupervisorFile(place)),
      exit: await readExitFile(place),
    };
  }

  /** Orders go through the supervisor, which owns the process group; without one, straight to the group. */
  async stop(handle: AttemptHandle, force: StopForce): Promise<void> {
    const place = this.#placeOf(handle);
    await writeStopFile(place, force === "kill" ? "kill" : "stop");
    if (await isSupervisorAlive(handle)) return;
    const file = await readSupervisorFile(place);
    // A worker that has gone may have given its number to a stranger: what it left is its next supervisor's business.
    if ((await workerState(file)) !== "alive" || file?.worker_pid == null) return;
    signalGroup(file.worker_pid, force === "kill" ? "SIGKILL" : "SIGTERM");
  }

  async logs(handle: AttemptHandle, maxLines: number): Promise<string[]> {
    const lines = await readLastLines(this.#placeOf(handle), maxLines);
    return lines.map((line) => redact(line, this.#options.secrets));
  }

  #placeOf({ jobId, attempt }: AttemptHandle): AttemptPlace {
    return { runDir: this.#options.runDir(jobId), attempt };
  }

  async #spawn(handle: AttemptHandle, extra: readonly string[]): Promise<string> {
    const { home, python, workerSources } = this.#options;
    const place = this.#placeOf(handle);
    const log = await open(path.join(attemptFolder(place), "supervisor.log"), "a", 0o600);
    try {
      // env(1) changes the environment and becomes Python under the same pid. The database's address, which may hold
      // a password, is no business of a training; the few arenas that `npm start` gives the server would slow one
      // that has many threads.
      const child = spawn(
        "env",
        [
          ...["-u", "DATABASE_URL", "-u", "MALLOC_ARENA_MAX"],
          ...[`PYTHONPATH=${workerSources.join(path.delimiter)}`, python],
          ...["-m", "spotter_worker.supervisor", "--run-dir", place.runDir],
          ...["--attempt", String(handle.attempt), "--home", home, ...extra],
        ],
        { detached: true, stdio: ["ignore", log.fd, log.fd], cwd: place.runDir },
      );
      const pid = await started(child);
      child.unref();
      return await identify(pid);
    } finally {
      await log.close();
    }
  }
}

function started(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => resolve(child.pid as number));
  });
}

async function identify(pid: number): Promise<string> {
  const startTime = await startTimeOf(pid);
  if (startTime === null) throw new Error("its supervisor ended at once; see supervisor.log");
  os.setPriority(pid, WORKER_NICENESS);
  return refOf(pid, startTime);
}

/** The supervisor's pid with its start time: a pid alone may by now be another process's. */
function refOf(pid: number, startTime: string): string {
  return `${pid}:${startTime}`;
}

async function isSupervisorAlive({ ref }: AttemptHandle): Promise<boolean> {
  if (ref === null) return false;
  const [pid = "", ...startTime] = ref.split(":");
  return isAlive(Number(pid), startTime.join(":"));
}

async function workerState(
  file: SupervisorFile | null,
): Promise<Extract<AttemptState, { kind: "orphaned" }>["worker"]> {
  if (file === null || file.worker_pid === null || file.worker_start_time === null)
    return "unknown";
  return (await isAlive(file.worker_pid, file.worker_start_time)) ? "alive" : "gone";
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // It may have ended since the look.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
