// Answers what the server is and whether it works.
import { statfs } from "node:fs/promises";
import os from "node:os";
import type { Health, SystemInfo } from "@spotter/contract";
import type { Clock } from "../../platform/clock.ts";
import type { Database } from "../../platform/db/database.ts";
import type { HostSampler } from "./host-sampler.ts";
import { readPythonFacts } from "./python-facts.ts";

export interface SystemServiceParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly version: string;
  readonly home: string;
  readonly pythonEnvironment: string;
  readonly dataRoots: readonly string[];
  readonly registration: SystemInfo["registration"];
}

type Check = Health["checks"][string];

const GIB = 1024 ** 3;
// Below this a training's next checkpoint may not fit.
const LEAST_FREE_GIB = 1;

export class SystemService {
  readonly #parts: SystemServiceParts;
  readonly #host: HostSampler;
  readonly #startedAt: number;

  constructor(parts: SystemServiceParts, host: HostSampler) {
    this.#parts = parts;
    this.#host = host;
    this.#startedAt = parts.clock.now();
  }

  async health(): Promise<Health> {
    const time = this.#parts.clock.now();
    const checks = {
      database: await this.#checkDatabase(),
      disk: await this.#checkDisk(),
      python: await this.#checkPython(),
    };
    return {
      status: Object.values(checks).every(({ ok }) => ok) ? "ok" : "degraded",
      version: this.#parts.version,
      time,
      uptime_s: time - this.#startedAt,
      checks,
    };
  }

  async info(): Promise<SystemInfo> {
    const { version, database, home, dataRoots, registration } = this.#parts;
    return {
      version,
      started_at: this.#startedAt,
      node: process.versions.node,
      platform: `${os.type()} ${os.release()} ${os.arch()}`,
      hostname: os.hostname(),
      cpu_model: os.cpus()[0]?.model.trim() ?? "unknown",
      cpu_cores: os.availableParallelism(),
      memory_total_gib: os.totalmem() / GIB,
      database: database.engine,
      data_folder: home,
      python: await readPythonFacts(this.#parts.pythonEnvironment),
      host: this.#host.latest,
      data_roots: [...dataRoots],
      registration,
      protocol: 1,
    };
  }

  async #checkDatabase(): Promise<Check> {
    try {
      await this.#parts.database.read("select 1");
      return { ok: true, message: "The database answers." };
    } catch {
      // The reason is for the log of whoever needs the database; health is public.
      return { ok: false, message: "The database does not answer." };
    }
  }

  async #checkDisk(): Promise<Check> {
    const disk = await statfs(this.#parts.home);
    const freeGib = (disk.bavail * disk.bsize) / GIB;
    const message = `${freeGib.toFixed(1)} GiB are free in the data folder.`;
    return { ok: freeGib >= LEAST_FREE_GIB, message };
  }

  async #checkPython(): Promise<Check> {
    const { ready, version, torch, message } = await readPythonFacts(this.#parts.pythonEnvironment);
    return { ok: ready, message: message ?? `Python ${version} with PyTorch ${torch}.` };
  }
}
