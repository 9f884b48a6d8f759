// Decisions about accounts: who may come in, what a password change ends, who becomes the first administrator.
import type {
  ApiToken,
  CreateToken,
  Credentials,
  Me,
  PasswordChange,
  Registration,
  Role,
  ServerFacts,
  Setup,
  UpdateMe,
  User,
} from "@spotter/contract";
import type { z } from "zod";
import type { AuditRecorder } from "../../platform/audit.ts";
import { SpotterError } from "../../platform/errors.ts";
import type { Caller } from "../../platform/route.ts";
import { checkNewPassword, hashPassword, passwordMatches } from "./passwords.ts";
import { hashSecret, newSecret } from "./secrets.ts";
import { SESSION_SECONDS } from "./session-cookie.ts";
import { type AuthStore, type Invited, nameKey, type TokenRow, type UserRow } from "./store.ts";

export interface AuthSettings {
  readonly registration: ServerFacts["registration"];
  readonly version: string;
}

/** A person who has just come in, with the secret of the new session. */
export interface SignedIn {
  readonly me: Me;
  readonly sessionSecret: string;
}

export class AuthService {
  readonly #store: AuthStore;
  readonly #audit: AuditRecorder;
  readonly #settings: AuthSettings;
  readonly #now: () => number;
  /** Told whenever what a caller may do has changed, so that nothing old is remembered. */
  readonly #forget: () => void;
  /** Where newcomers of an open registration land. */
  readonly #defaultProject: () => Promise<number>;

  constructor(parts: {
    store: AuthStore;
    audit: AuditRecorder;
    settings: AuthSettings;
    now: () => number;
    forget: () => void;
    defaultProject: () => Promise<number>;
  }) {
    this.#store = parts.store;
    this.#audit = parts.audit;
    this.#settings = parts.settings;
    this.#now = parts.now;
    this.#forget = parts.forget;
    this.#defaultProject = parts.defaultProject;
  }

  async facts(): Promise<ServerFacts> {
    return {
      version: this.#settings.version,
      setup_needed: !(await this.#store.hasAdmin()),
      registration: this.#settings.registration,
    };
  }

  /**
   * Makes a new one-time secret while there is no administrator yet; the one of an earlier start stops working.
   * @returns the secret, or null when there is an administrator
   */
  async prepareSetup(): Promise<string | null> {
    if (await this.#store.hasAdmin()) return null;
    const secret = newSecret("spa");
    await this.#store.putSetupSecret(hashSecret(secret));
    return secret;
  }

  async setup(request: z.infer<typeof Setup>, address: string): Promise<SignedIn> {
    if (await this.#store.hasAdmin()) throw new SpotterError("setup-done");
    const secretHash = hashSecret(request.setup_token);
    if (!(await this.#store.setupSecretMatches(secretHash))) {
      throw new SpotterError(
        "token-invalid",
        "This link is not the one that the server printed last; look at its output for the newest.",
      );
    }
    checkNewPassword(request.password, request.name);
    const user = await this.#store.createFirstAdmin(await this.#newUser(request, true), secretHash);
    if (user === undefined) throw new SpotterError("setup-done");
    return this.#welcome(user, "administrator-created", address);
  }

  async signIn(credentials: z.infer<typeof Credentials>, address: string): Promise<SignedIn> {
    return this.#welcome(await this.#checkPassword(credentials, address), "signed-in", address);
  }

  /** The command line's sign-in: a token instead of a session. */
  async signInForToken(
    request: z.infer<typeof Credentials> & { token_name: string },
    address: string,
  ): Promise<{ token: ApiToken; secret: string }> {
    const user = await this.#checkPassword(request, address);
    return this.#addToken(user, request.token_name, null, address);
  }

  async register(request: z.infer<typeof Registration>, address: string): Promise<SignedIn> {
    const invited = await this.#admit(request.invitation);
    checkNewPassword(request.password, request.name);
    const user = await this.#store.createUser(await this.#newUser(request, false), invited);
    if (user === undefined) throw new SpotterError("name-taken");
    return this.#welcome(user, "registered", address);
  }

  async signOut(caller: Caller, address: string): Promise<void> {
    if (caller.via === "session") await this.#store.deleteSession(caller.credentialId);
    else await this.#store.revokeToken(caller.credentialId, caller.userId, this.#now());
    this.#forget();
    await this.#note(caller, "signed-out", address);
  }

  async me(userId: number, via: Me["via"]): Promise<Me> {
    const [user, roles] = await Promise.all([
      this.#requireUser(userId),
      this.#store.rolesOf(userId),
    ]);
    return {
      user: toUser(user),
      via,
      roles: roles.map(({ project_id, role }) => ({ project_id, role })),
    };
  }

  async updateMe(caller: Caller, changes: z.infer<typeof UpdateMe>): Promise<Me> {
    await this.#store.updateUser(caller.userId, changes);
    return this.me(caller.userId, caller.via);
  }

  /** Ends all other sessions and, if wished, all other tokens. @returns how many tokens ended and how many live on */
  async changePassword(
    caller: Caller,
    change: z.output<typeof PasswordChange>,
    address: string,
  ): Promise<{ revoked_tokens: number; living_tokens: number }> {
    const next = change.new_password;
    const user = await this.#requireUser(caller.userId);
    if (!(await passwordMatches(user.password_hash, change.current_password)))
      throw new SpotterError("wrong-credentials", "The current password is wrong.");
    checkNewPassword(next, user.name);
    await this.#store.updateUser(user.id, { password_hash: await hashPassword(next) });
    await this.#store.deleteSessionsOf(
      user.id,
      caller.via === "session" ? caller.credentialId : null,
    );
    const revoked = change.revoke_tokens
      ? await this.#store.revokeTokensOf(
          user.id,
          caller.via === "token" ? caller.credentialId : null,
          this.#now(),
        )
      : 0;
    this.#forget();
    const living = await this.#store.numLivingTokens(user.id, this.#now());
    const counts = { revoked_tokens: revoked, living_tokens: living };
    await this.#note(caller, "password-changed", address, { details: counts });
    return counts;
  }

  async tokens(userId: number): Promise<ApiToken[]> {
    return (await this.#store.tokensOf(userId)).map(toToken);
  }

  async createToken(
    caller: Caller,
    request: z.output<typeof CreateToken>,
    address: string,
  ): Promise<{ token: ApiToken; secret: string }> {
    const expiresAt =
      request.expires_in_days === null ? null : this.#now() + request.expires_in_days * 86_400;
    return this.#addToken(await this.#requireUser(caller.userId), request.name, expiresAt, address);
  }

  async revokeToken(caller: Caller, tokenId: number, address: string): Promise<void> {
    if (!(await this.#store.revokeToken(tokenId, caller.userId, this.#now())))
      throw new SpotterError("token-not-found");
    this.#forget();
    await this.#note(caller, "token-revoked", address, {
      subjectKind: "token",
      subjectId: tokenId,
    });
  }

  async #checkPassword(
    credentials: { name: string; password: string },
    address: string,
  ): Promise<UserRow> {
    const user = await this.#store.userByName(credentials.name);
    if (!(await passwordMatches(user?.password_hash, credentials.password)) || user === undefined) {
      await this.#audit.record({
        userId: null,
        userName: credentials.name,
        action: "sign-in-refused",
        address,
      });
      throw new SpotterError("wrong-credentials");
    }
    if (user.disabled_at !== null) throw new SpotterError("account-disabled");
    return user;
  }

  /** @returns the role that the newcomer gets; throws when the door is shut */
  async #admit(invitation: string | undefined): Promise<Invited | undefined> {
    if (invitation !== undefined) {
      const row = await this.#store.usableInvitation(hashSecret(invitation), this.#now());
      if (row === undefined) throw new SpotterError("invitation-invalid");
      return { invitationId: row.id, projectId: row.project_id, role: row.role };
    }
    if (this.#settings.registration !== "open") throw new SpotterError("registration-closed");
    // Anyone may come in here, and a member may run code as the server's user: newcomers only look.
    return {
      invitationId: null,
      projectId: await this.#defaultProject(),
      role: "viewer" satisfies Role,
    };
  }

  async #newUser(
    request: { name: string; password: string },
    isAdmin: boolean,
  ): Promise<Omit<UserRow, "id">> {
    return newUserRow(request, isAdmin, await hashPassword(request.password), this.#now());
  }

  async #welcome(user: UserRow, action: string, address: string): Promise<SignedIn> {
    const now = this.#now();
    const sessionSecret = newSecret("sps");
    await this.#store.deleteExpiredSessions(now);
    await this.#store.addSession({
      secret_hash: hashSecret(sessionSecret),
      user_id: user.id,
      created_at: now,
      expires_at: now + SESSION_SECONDS,
      last_used_at: now,
    });
    await this.#store.updateUser(user.id, { last_seen_at: now });
    await this.#audit.record({ userId: user.id, userName: user.name, action, address });
    return { me: await this.me(user.id, "session"), sessionSecret };
  }

  async #addToken(
    user: UserRow,
    name: string,
    expiresAt: number | null,
    address: string,
  ): Promise<{ token: ApiToken; secret: string }> {
    const secret = newSecret("spt");
    const row = await this.#store.addToken({
      secret_hash: hashSecret(secret),
      user_id: user.id,
      name,
      prefix: secret.slice(0, 8),
      created_at: this.#now(),
      expires_at: expiresAt,
      last_used_at: null,
      revoked_at: null,
    });
    await this.#audit.record({
      userId: user.id,
      userName: user.name,
      action: "token-created",
      subjectKind: "token",
      subjectId: row.id,
      address,
    });
    return { token: toToken(row), secret };
  }

  async #requireUser(id: number): Promise<UserRow> {
    const user = await this.#store.userById(id);
    if (user === undefined) throw new SpotterError("user-not-found");
    return user;
  }

  #note(
    caller: Caller,
    action: string,
    address: string,
    rest: { subjectKind?: string; subjectId?: number; details?: Record<string, number> } = {},
  ): Promise<void> {
    return this.#audit.record({
      userId: caller.userId,
      userName: caller.userName,
      action,
      address,
      ...rest,
    });
  }
}

export function newUserRow(
  request: { name: string },
  isAdmin: boolean,
  passwordHash: string,
  now: number,
): Omit<UserRow, "id"> {
  return {
    name: request.name,
    name_key: nameKey(request.name),
    display_name: request.name,
    password_hash: passwordHash,
    is_admin: isAdmin ? 1 : 0,
    locale: null,
    created_at: now,
    last_seen_at: null,
    disabled_at: null,
  };
}

export function toUser(row: UserRow): User {
  const { id, name, display_name, created_at, last_seen_at, disabled_at } = row;
  return {
    id,
    name,
    display_name,
    is_admin: row.is_admin === 1,
    locale: row.locale === "en" || row.locale === "zh" ? row.locale : null,
    created_at,
    last_seen_at,
    disabled_at,
  };
}

function toToken(row: TokenRow): ApiToken {
  const { id, name, prefix, created_at, expires_at, last_used_at, revoked_at } = row;
  return { id, name, prefix, created_at, expires_at, last_used_at, revoked_at };
}
