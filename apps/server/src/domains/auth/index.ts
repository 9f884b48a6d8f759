// The auth room's door.
import type { AuditRecorder } from "../../platform/audit.ts";
import type { Bus } from "../../platform/bus.ts";
import type { Database } from "../../platform/db/database.ts";
import type { AccessControl, Router } from "../../platform/route.ts";
import { Access } from "./access.ts";
import { AuditStore } from "./audit-store.ts";
import { Memberships } from "./memberships.ts";
import { PeopleService, type RequireProject } from "./people.ts";
import { registerPeopleRoutes } from "./people-routes.ts";
import { PeopleStore } from "./people-store.ts";
import { registerAuthRoutes } from "./routes.ts";
import { AuthService, type AuthSettings } from "./service.ts";
import type { CookieSettings } from "./session-cookie.ts";
import { AuthStore } from "./store.ts";

export { migrations } from "./migrations.ts";

export interface AuthRoomParts {
  readonly database: Database;
  readonly bus: Bus;
  readonly settings: AuthSettings & CookieSettings;
  /** Unix seconds. */
  readonly now: () => number;
  readonly requireProject: RequireProject;
  /** Where newcomers of an open registration land. */
  readonly defaultProject: () => Promise<number>;
}

/** Accounts, sessions, tokens, roles and the audit log. Needs `@fastify/cookie` registered with the server's key. */
export class AuthRoom {
  readonly access: AccessControl;
  readonly audit: AuditRecorder;
  readonly memberships: Memberships;
  readonly service: AuthService;
  readonly #people: PeopleService;
  readonly #auditStore: AuditStore;
  readonly #cookie: CookieSettings;

  constructor(parts: AuthRoomParts) {
    const { database, settings, now, requireProject, defaultProject } = parts;
    const store = new AuthStore(database);
    const access = new Access(store, now);
    const forget = () => {
      access.forget();
      parts.bus.publish({ type: "access-changed" });
    };
    const audit = new AuditStore(database, now);
    this.access = access;
    this.audit = audit;
    this.#auditStore = audit;
    this.#cookie = settings;
    this.memberships = new Memberships(database, now, forget);
    this.service = new AuthService({ store, audit, settings, now, forget, defaultProject });
    this.#people = new PeopleService({
      accounts: store,
      people: new PeopleStore(database),
      memberships: this.memberships,
      audit,
      now,
      forget,
      requireProject,
    });
  }

  registerRoutes(router: Router): void {
    registerAuthRoutes(router, this.service, this.#cookie);
    registerPeopleRoutes(router, this.#people, this.#auditStore);
  }
}
