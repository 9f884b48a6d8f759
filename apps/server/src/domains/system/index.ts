// The system room's door.
import { statfsSync } from "node:fs";
import os from "node:os";
import type { Bus } from "../../platform/bus.ts";
import type { Router } from "../../platform/route.ts";
import { HostSampler } from "./host-sampler.ts";
import { registerSystemRoutes } from "./routes.ts";
import { SystemService, type SystemServiceParts } from "./service.ts";

export interface SystemRoomParts extends SystemServiceParts {
  readonly bus: Bus;
  readonly onError: (error: unknown) => void;
  /** The file with the API's description. */
  readonly apiReference: string;
}

const GIB = 1024 ** 3;

/** The machine as a place for trainings; memory in GiB. */
export interface Machine {
  readonly gpus: readonly {
    readonly index: number;
    readonly name: string;
    readonly memoryGib: number;
  }[];
  readonly cpuCores: number;
  readonly memoryGib: number;
  readonly diskFreeGib: number;
}

/** Health, info, and the host's readings of each second as `host-sampled` events. */
export class SystemRoom {
  readonly host: HostSampler;
  readonly #service: SystemService;
  readonly #home: string;
  readonly #apiReference: string;

  constructor(parts: SystemRoomParts) {
    this.host = new HostSampler(parts);
    this.#home = parts.home;
    this.#apiReference = parts.apiReference;
    this.#service = new SystemService(parts, this.host);
  }

  /** What trainings can be placed on; null while the driver has not told yet whether there are GPUs. */
  machine(): Machine | null {
    const { gpus } = this.host;
    if (gpus === null) return null;
    const disk = statfsSync(this.#home);
    return {
      gpus: gpus.map(({ index, name, memory_total_gib: memoryGib }) => ({
        ...{ index, name, memoryGib },
      })),
      cpuCores: os.availableParallelism(),
      memoryGib: os.totalmem() / GIB,
      diskFreeGib: (disk.bavail * disk.bsize) / GIB,
    };
  }

  registerRoutes(router: Router): void {
    registerSystemRoutes(router, this.#service, this.#apiReference);
  }

  start(): void {
    this.host.start();
  }

  stop(): void {
    this.host.stop();
  }
}
