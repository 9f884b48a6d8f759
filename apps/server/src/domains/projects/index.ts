// The projects room's door.
import type { AuditRecorder } from "../../platform/audit.ts";
import type { Database } from "../../platform/db/database.ts";
import type { Router } from "../../platform/route.ts";
import { registerProjectRoutes } from "./routes.ts";
import { type ProjectRoles, ProjectService } from "./service.ts";
import { ProjectStore } from "./store.ts";

export { migrations } from "./migrations.ts";
export type { ProjectRoles, ProjectService } from "./service.ts";

/** Projects; people's roles and the audit log are handed in from the auth room when routes are bound. */
export class ProjectsRoom {
  readonly service: ProjectService;

  constructor(parts: { database: Database; now: () => number }) {
    this.service = new ProjectService(new ProjectStore(parts.database), parts.now);
  }

  registerRoutes(router: Router, roles: ProjectRoles, audit: AuditRecorder): void {
    registerProjectRoutes(router, this.service, roles, audit);
  }
}
