// The system room's door.
import type { Bus } from "../../platform/bus.ts";
import type { Router } from "../../platform/route.ts";
import { HostSampler } from "./host-sampler.ts";
import { registerSystemRoutes } from "./routes.ts";
import { SystemService, type SystemServiceParts } from "./service.ts";

export interface SystemRoomParts extends SystemServiceParts {
  readonly bus: Bus;
  readonly onError: (error: unknown) => void;
}

/** Health, info, and the host's readings of each second as `host-sampled` events. */
export class SystemRoom {
  readonly host: HostSampler;
  readonly #service: SystemService;

  constructor(parts: SystemRoomParts) {
    this.host = new HostSampler(parts);
    this.#service = new SystemService(parts, this.host);
  }

  registerRoutes(router: Router): void {
    registerSystemRoutes(router, this.#service);
  }

  start(): void {
    this.host.start();
  }

  stop(): void {
    this.host.stop();
  }
}
