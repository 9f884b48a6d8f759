// All SQL of accounts, sessions, API tokens, roles and the set-up link.
import type { Role } from "@spotter/contract";
import type { Kysely } from "kysely";
import type { Database } from "../../platform/db/database.ts";
import { SpotterError } from "../../platform/errors.ts";

export interface UserRow {
  id: number;
  name: string;
  name_key: string;
  display_name: string;
  password_hash: string;
  is_admin: number;
  locale: string | null;
  created_at: number;
  last_seen_at: number | null;
  disabled_at: number | null;
}

interface SessionRow {
  id: number;
  secret_hash: string;
  user_id: number;
  created_at: number;
  expires_at: number;
  last_used_at: number;
}

export interface TokenRow {
  id: number;
  secret_hash: string;
  user_id: number;
  name: string;
  prefix: string;
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
  revoked_at: number | null;
}

export interface MembershipRow {
  project_id: number;
  user_id: number;
  role: Role;
  since: number;
}

export interface InvitationRow {
  id: number;
  secret_hash: string;
  project_id: number;
  role: Role;
  note: string;
  created_by: number;
  created_at: number;
  expires_at: number;
  used_by: number | null;
  revoked_at: number | null;
}

type New<Row> = Omit<Row, "id">;

export type AuthTables = {
  users: UserRow;
  sessions: SessionRow;
  api_tokens: TokenRow;
  memberships: MembershipRow;
  invitations: InvitationRow;
  auth_setup: { id: number; secret_hash: string };
};

export interface Invited {
  /** Null where registration is open. */
  readonly invitationId: number | null;
  readonly projectId: number;
  readonly role: Role;
}

/** Of two who come with one invitation at once, the second must not get in. */
async function useUp(tables: Kysely<AuthTables>, id: number, user: UserRow): Promise<void> {
  const used = await tables
    .updateTable("invitations")
    .set({ used_by: user.id })
    .where("id", "=", id)
    .where("used_by", "is", null)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  if (used.numUpdatedRows !== 1n) throw new SpotterError("invitation-invalid");
}

/** Upper and lower case, and letters that only look composed differently, name the same person. */
export function nameKey(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}

export class AuthStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #kysely() {
    return this.#database.kysely.withTables<AuthTables>();
  }

  userByName(name: string): Promise<UserRow | undefined> {
    return this.#kysely
      .selectFrom("users")
      .selectAll()
      .where("name_key", "=", nameKey(name))
      .executeTakeFirst();
  }

  userById(id: number): Promise<UserRow | undefined> {
    return this.#kysely.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirst();
  }

  async hasAdmin(): Promise<boolean> {
    const row = await this.#kysely
      .selectFrom("users")
      .select("id")
      .where("is_admin", "=", 1)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  async updateUser(id: number, changes: Partial<New<UserRow>>): Promise<void> {
    if (Object.keys(changes).length === 0) return;
    await this.#kysely.updateTable("users").set(changes).where("id", "=", id).execute();
  }

  /**
   * Creates an account, with its role and the invitation that it used up, or nothing.
   * @returns the row, or undefined when the name was taken. Throws `invitation-invalid` when it was used meanwhile
   */
  createUser(user: New<UserRow>, invited?: Invited): Promise<UserRow | undefined> {
    return this.#database.transaction(async (transaction) => {
      const tables = transaction.withTables<AuthTables>();
      const created = await tables
        .insertInto("users")
        .values(user as UserRow)
        .onConflict((conflict) => conflict.column("name_key").doNothing())
        .returningAll()
        .executeTakeFirst();
      if (created === undefined || invited === undefined) return created;
      if (invited.invitationId !== null) await useUp(tables, invited.invitationId, created);
      await tables
        .insertInto("memberships")
        .values({
          project_id: invited.projectId,
          user_id: created.id,
          role: invited.role,
          since: created.created_at,
        })
        .execute();
      return created;
    });
  }

  /** Creates the first administrator and uses the link up in one step, so that two callers cannot both win. */
  createFirstAdmin(user: New<UserRow>, secretHash: string): Promise<UserRow | undefined> {
    return this.#database.transaction(async (transaction) => {
      const tables = transaction.withTables<AuthTables>();
      const used = await tables
        .deleteFrom("auth_setup")
        .where("secret_hash", "=", secretHash)
        .executeTakeFirst();
      if (used.numDeletedRows !== 1n) return undefined;
      return tables
        .insertInto("users")
        .values(user as UserRow)
        .returningAll()
        .executeTakeFirstOrThrow();
    });
  }

  async putSetupSecret(secretHash: string): Promise<void> {
    await this.#kysely
      .insertInto("auth_setup")
      .values({ id: 1, secret_hash: secretHash })
      .onConflict((conflict) => conflict.column("id").doUpdateSet({ secret_hash: secretHash }))
      .execute();
  }

  async setupSecretMatches(secretHash: string): Promise<boolean> {
    return (
      (await this.#kysely
        .selectFrom("auth_setup")
        .select("id")
        .where("secret_hash", "=", secretHash)
        .executeTakeFirst()) !== undefined
    );
  }

  async addSession(session: New<SessionRow>): Promise<void> {
    await this.#kysely
      .insertInto("sessions")
      .values(session as SessionRow)
      .execute();
  }

  /** The living session with its person. */
  sessionWithUser(
    secretHash: string,
    now: number,
  ): Promise<(UserRow & { credential_id: number; last_used_at: number }) | undefined> {
    return this.#kysely
      .selectFrom("sessions")
      .innerJoin("users", "users.id", "sessions.user_id")
      .selectAll("users")
      .select(["sessions.id as credential_id", "sessions.last_used_at as last_used_at"])
      .where("sessions.secret_hash", "=", secretHash)
      .where("sessions.expires_at", ">", now)
      .executeTakeFirst();
  }

  tokenWithUser(
    secretHash: string,
    now: number,
  ): Promise<(UserRow & { credential_id: number; last_used_at: number | null }) | undefined> {
    return this.#kysely
      .selectFrom("api_tokens")
      .innerJoin("users", "users.id", "api_tokens.user_id")
      .selectAll("users")
      .select(["api_tokens.id as credential_id", "api_tokens.last_used_at as last_used_at"])
      .where("api_tokens.secret_hash", "=", secretHash)
      .where("api_tokens.revoked_at", "is", null)
      .where((is) =>
        is.or([is("api_tokens.expires_at", "is", null), is("api_tokens.expires_at", ">", now)]),
      )
      .executeTakeFirst();
  }

  async touchSession(id: number, now: number, expiresAt: number): Promise<void> {
    await this.#kysely
      .updateTable("sessions")
      .set({ last_used_at: now, expires_at: expiresAt })
      .where("id", "=", id)
      .execute();
  }

  async touchToken(id: number, now: number): Promise<void> {
    await this.#kysely
      .updateTable("api_tokens")
      .set({ last_used_at: now })
      .where("id", "=", id)
      .execute();
  }

  async deleteSession(id: number): Promise<void> {
    await this.#kysely.deleteFrom("sessions").where("id", "=", id).execute();
  }

  /** Ends a person's sessions, all but one if told. */
  async deleteSessionsOf(userId: number, exceptId: number | null): Promise<void> {
    let query = this.#kysely.deleteFrom("sessions").where("user_id", "=", userId);
    if (exceptId !== null) query = query.where("id", "!=", exceptId);
    await query.execute();
  }

  async deleteExpiredSessions(now: number): Promise<void> {
    await this.#kysely.deleteFrom("sessions").where("expires_at", "<=", now).execute();
  }

  tokensOf(userId: number): Promise<TokenRow[]> {
    return this.#kysely
      .selectFrom("api_tokens")
      .selectAll()
      .where("user_id", "=", userId)
      .orderBy("id", "desc")
      .execute();
  }

  addToken(token: New<TokenRow>): Promise<TokenRow> {
    return this.#kysely
      .insertInto("api_tokens")
      .values(token as TokenRow)
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  /** @returns false when the person has no such living token */
  async revokeToken(id: number, userId: number, now: number): Promise<boolean> {
    const result = await this.#kysely
      .updateTable("api_tokens")
      .set({ revoked_at: now })
      .where("id", "=", id)
      .where("user_id", "=", userId)
      .where("revoked_at", "is", null)
      .executeTakeFirst();
    return result.numUpdatedRows === 1n;
  }

  /** Revokes a person's living tokens, all but one if told. @returns how many */
  async revokeTokensOf(userId: number, exceptId: number | null, now: number): Promise<number> {
    let query = this.#kysely
      .updateTable("api_tokens")
      .set({ revoked_at: now })
      .where("user_id", "=", userId)
      .where("revoked_at", "is", null);
    if (exceptId !== null) query = query.where("id", "!=", exceptId);
    return Number((await query.executeTakeFirst()).numUpdatedRows);
  }

  async numLivingTokens(userId: number, now: number): Promise<number> {
    const rows = await this.tokensOf(userId);
    return rows.filter(
      (row) => row.revoked_at === null && (row.expires_at === null || row.expires_at > now),
    ).length;
  }

  rolesOf(userId: number): Promise<MembershipRow[]> {
    return this.#kysely
      .selectFrom("memberships")
      .selectAll()
      .where("user_id", "=", userId)
      .orderBy("project_id")
      .execute();
  }

  usableInvitation(secretHash: string, now: number): Promise<InvitationRow | undefined> {
    return this.#kysely
      .selectFrom("invitations")
      .selectAll()
      .where("secret_hash", "=", secretHash)
      .where("used_by", "is", null)
      .where("revoked_at", "is", null)
      .where("expires_at", ">", now)
      .executeTakeFirst();
  }
}
