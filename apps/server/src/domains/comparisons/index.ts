// The comparisons room's door.
import type { AuditRecorder } from "../../platform/audit.ts";
import type { Database } from "../../platform/db/database.ts";
import type { AccessControl, Router } from "../../platform/route.ts";
import type { MetricsService } from "../metrics/index.ts";
import type { RunService } from "../runs/index.ts";
import { registerComparisonRoutes } from "./routes.ts";
import { ComparisonService } from "./service.ts";
import { ComparisonsStore } from "./store.ts";

export { migrations } from "./migrations.ts";

export interface ComparisonsRoomParts {
  readonly database: Database;
  readonly runs: RunService;
  readonly metrics: MetricsService;
  readonly access: AccessControl;
  readonly audit: AuditRecorder;
  /** Unix seconds. */
  readonly now: () => number;
}

/** Reports about several runs, and those that were saved. Nothing here runs by itself. */
export class ComparisonsRoom {
  readonly #service: ComparisonService;

  constructor({ database, ...rest }: ComparisonsRoomParts) {
    this.#service = new ComparisonService({ ...rest, store: new ComparisonsStore(database) });
  }

  registerRoutes(router: Router): void {
    registerComparisonRoutes(router, this.#service);
  }
}
