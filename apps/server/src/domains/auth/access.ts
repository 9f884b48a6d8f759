// Says who calls and whether they may: the AccessControl that every bound route asks.
import type { Role } from "@spotter/contract";
import type { FastifyRequest } from "fastify";
import { SpotterError } from "../../platform/errors.ts";
import type { AccessControl, Caller } from "../../platform/route.ts";
import { hashSecret } from "./secrets.ts";
import { readSessionCookies, SESSION_SECONDS } from "./session-cookie.ts";
import type { AuthStore, UserRow } from "./store.ts";

/** A caller is looked up again after this long, so that a second server's change reaches this one too. */
const REMEMBER_SECONDS = 5;
/** "Last used" is written at most this often: a read must not become a write each time. */
const TOUCH_SECONDS = 60;
const MAX_REMEMBERED = 10_000;

const RANK: Readonly<Record<Role, number>> = { viewer: 1, member: 2, admin: 3 };

interface Remembered {
  readonly caller: Caller;
  readonly since: number;
}

export class Access implements AccessControl {
  readonly #store: AuthStore;
  readonly #now: () => number;
  readonly #remembered = new Map<string, Remembered>();
  /** Rises with every `forget`: what was looked up before it may be old and is not remembered. */
  #generation = 0;

  constructor(store: AuthStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  async identify(request: FastifyRequest): Promise<Caller> {
    const bearer = bearerOf(request);
    if (bearer !== undefined) return this.#callerOf(bearer, "token");
    let refusal = new SpotterError("not-signed-in");
    for (const secret of readSessionCookies(request)) {
      try {
        return await this.#callerOf(secret, "session");
      } catch (error) {
        if (!(error instanceof SpotterError) || error.status >= 500) throw error;
        refusal = error;
      }
    }
    throw refusal;
  }

  requireRole(caller: Caller, projectId: number, role: Role): void {
    if (caller.isAdmin) return;
    const held = caller.roles.get(projectId);
    if (held !== undefined && RANK[held] >= RANK[role]) return;
    const has = held === undefined ? "you are not in this project" : `you are ${held}`;
    throw new SpotterError("role-too-low", `This needs the role ${role} in the project; ${has}.`, {
      details: { needed: role, project_id: projectId },
    });
  }

  requireServerAdmin(caller: Caller): void {
    if (!caller.isAdmin)
      throw new SpotterError("role-too-low", "This needs the server's administrator.", {
        details: { needed: "server-admin" },
      });
  }

  /** Forgets every remembered caller: a role, a token or a session has changed. */
  forget(): void {
    this.#generation += 1;
    this.#remembered.clear();
  }

  async #callerOf(secret: string, via: Caller["via"]): Promise<Caller> {
    const secretHash = hashSecret(secret);
    const remembered = this.#remembered.get(secretHash);
    const age = this.#now() - (remembered?.since ?? 0);
    // A clock that was set back must not make anybody remembered for longer.
    if (remembered !== undefined && age >= 0 && age < REMEMBER_SECONDS) return remembered.caller;
    const generation = this.#generation;
    const caller = await this.#lookUp(secretHash, via);
    if (generation !== this.#generation) return caller;
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(secretHash, { caller, since: this.#now() });
    return caller;
  }

  async #lookUp(secretHash: string, via: Caller["via"]): Promise<Caller> {
    const now = this.#now();
    const row =
      via === "session"
        ? await this.#store.sessionWithUser(secretHash, now)
        : await this.#store.tokenWithUser(secretHash, now);
    if (row === undefined)
      throw via === "session"
        ? new SpotterError("not-signed-in")
        : new SpotterError("token-invalid");
    if (row.disabled_at !== null) throw new SpotterError("account-disabled");
    if (row.last_used_at === null || row.last_used_at < now - TOUCH_SECONDS)
      await this.#touch(row, via, now);
    const roles = new Map(
      (await this.#store.rolesOf(row.id)).map(
        (membership) => [membership.project_id, membership.role] as const,
      ),
    );
    return {
      userId: row.id,
      userName: row.name,
      isAdmin: row.is_admin === 1,
      via,
      roles,
      credentialId: row.credential_id,
    };
  }

  async #touch(
    row: UserRow & { credential_id: number },
    via: Caller["via"],
    now: number,
  ): Promise<void> {
    if (via === "session")
      await this.#store.touchSession(row.credential_id, now, now + SESSION_SECONDS);
    else await this.#store.touchToken(row.credential_id, now);
    await this.#store.updateUser(row.id, { last_seen_at: now });
  }
}

function bearerOf(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization;
  if (header === undefined) return undefined;
  const match = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(header);
  if (match === null)
    throw new SpotterError("token-invalid", "The Authorization header must read `Bearer <token>`.");
  return match[1];
}
