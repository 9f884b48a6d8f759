// Administration of accounts and invitations: what a server administrator decides about other people.
import type { CreateInvitation, CreateUser, Invitation, UpdateUser, User } from "@spotter/contract";
import type { z } from "zod";
import type { AuditRecorder } from "../../platform/audit.ts";
import { SpotterError } from "../../platform/errors.ts";
import type { Caller } from "../../platform/route.ts";
import type { Memberships } from "./memberships.ts";
import { checkNewPassword, hashPassword } from "./passwords.ts";
import type { PeopleStore } from "./people-store.ts";
import { hashSecret, newSecret } from "./secrets.ts";
import { newUserRow, toUser } from "./service.ts";
import type { AuthStore, InvitationRow, UserRow } from "./store.ts";

/** Throws `project-not-found` when there is no such project; the projects room answers. */
export type RequireProject = (projectId: number) => Promise<void>;

export class PeopleService {
  readonly #accounts: AuthStore;
  readonly #people: PeopleStore;
  readonly #memberships: Memberships;
  readonly #audit: AuditRecorder;
  readonly #now: () => number;
  readonly #forget: () => void;
  readonly #requireProject: RequireProject;

  constructor(parts: {
    accounts: AuthStore;
    people: PeopleStore;
    memberships: Memberships;
    audit: AuditRecorder;
    now: () => number;
    forget: () => void;
    requireProject: RequireProject;
  }) {
    this.#accounts = parts.accounts;
    this.#people = parts.people;
    this.#memberships = parts.memberships;
    this.#audit = parts.audit;
    this.#now = parts.now;
    this.#forget = parts.forget;
    this.#requireProject = parts.requireProject;
  }

  async users(): Promise<User[]> {
    return (await this.#people.users()).map(toUser);
  }

  async createUser(
    caller: Caller,
    request: z.output<typeof CreateUser>,
    address: string,
  ): Promise<User> {
    checkNewPassword(request.password, request.name);
    if (request.project_id !== undefined) await this.#requireProject(request.project_id);
    const row = newUserRow(
      request,
      request.is_admin,
      await hashPassword(request.password),
      this.#now(),
    );
    const user = await this.#accounts.createUser(row);
    if (user === undefined) throw new SpotterError("name-taken");
    if (request.project_id !== undefined)
      await this.#memberships.set(request.project_id, user.id, request.role ?? "viewer");
    await this.#note(caller, "user-created", address, {
      subjectKind: "user",
      subjectId: user.id,
      details: { name: user.name, is_admin: request.is_admin },
    });
    return toUser(user);
  }

  /** A disabled account, or one whose password was set for it, is signed out everywhere. */
  async updateUser(
    caller: Caller,
    userId: number,
    request: z.infer<typeof UpdateUser>,
    address: string,
  ): Promise<User> {
    const user = await this.#accounts.userById(userId);
    if (user === undefined) throw new SpotterError("user-not-found");
    const changes: Partial<UserRow> = {};
    if (request.is_admin !== undefined) changes.is_admin = request.is_admin ? 1 : 0;
    if (request.disabled !== undefined) changes.disabled_at = request.disabled ? this.#now() : null;
    if (request.password !== undefined) {
      checkNewPassword(request.password, user.name);
      changes.password_hash = await hashPassword(request.password);
    }
    const changed = await this.#people.update(userId, changes);
    if (changed === "last-admin") throw new SpotterError("last-admin");
    if (changed === undefined) throw new SpotterError("user-not-found");
    if (request.disabled === true || request.password !== undefined)
      await this.#accounts.deleteSessionsOf(userId, null);
    this.#forget();
    const details = {
      ...(request.is_admin === undefined ? {} : { is_admin: request.is_admin }),
      ...(request.disabled === undefined ? {} : { disabled: request.disabled }),
      password_set: request.password !== undefined,
    };
    await this.#note(caller, "user-changed", address, {
      subjectKind: "user",
      subjectId: userId,
      details,
    });
    return toUser(changed);
  }

  async invitations(): Promise<Invitation[]> {
    return (await this.#people.invitations()).map(toInvitation);
  }

  async invite(
    caller: Caller,
    request: z.output<typeof CreateInvitation>,
    address: string,
  ): Promise<{ invitation: Invitation; secret: string }> {
    await this.#requireProject(request.project_id);
    const secret = newSecret("spi");
    const now = this.#now();
    const row = await this.#people.addInvitation({
      secret_hash: hashSecret(secret),
      project_id: request.project_id,
      role: request.role,
      note: request.note,
      created_by: caller.userId,
      created_at: now,
      expires_at: now + request.expires_in_days * 86_400,
      used_by: null,
      revoked_at: null,
    });
    await this.#note(caller, "invitation-created", address, {
      subjectKind: "invitation",
      subjectId: row.id,
      projectId: row.project_id,
      details: { role: row.role },
    });
    return { invitation: toInvitation(row), secret };
  }

  async revokeInvitation(caller: Caller, id: number, address: string): Promise<void> {
    if (!(await this.#people.revokeInvitation(id, this.#now())))
      throw new SpotterError("invitation-not-found");
    await this.#note(caller, "invitation-revoked", address, {
      subjectKind: "invitation",
      subjectId: id,
    });
  }

  #note(caller: Caller, action: string, address: string, rest: object): Promise<void> {
    return this.#audit.record({
      userId: caller.userId,
      userName: caller.userName,
      action,
      address,
      ...rest,
    });
  }
}

function toInvitation(row: InvitationRow): Invitation {
  const { id, project_id, role, note, created_by, created_at, expires_at, used_by, revoked_at } =
    row;
  return { id, project_id, role, note, created_by, created_at, expires_at, used_by, revoked_at };
}
