// All SQL of the administration of accounts and invitations.
import type { Database } from "../../platform/db/database.ts";
import type { AuthTables, InvitationRow, UserRow } from "./store.ts";

export class PeopleStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  users(): Promise<UserRow[]> {
    return this.#kysely.selectFrom("users").selectAll().orderBy("name_key").execute();
  }

  /**
   * Changes an account unless that would leave no administrator who can sign in.
   * @returns the changed row; "last-admin" when it was refused; undefined when there is no such account
   */
  update(id: number, changes: Partial<UserRow>): Promise<UserRow | "last-admin" | undefined> {
    return this.#database.transaction(async (transaction) => {
      const tables = transaction.withTables<AuthTables>();
      const losesAdmin =
        changes.is_admin === 0 ||
        (changes.disabled_at !== undefined && changes.disabled_at !== null);
      if (losesAdmin) {
        const other = await tables
          .selectFrom("users")
          .select("id")
          .where("is_admin", "=", 1)
          .where("disabled_at", "is", null)
          .where("id", "!=", id)
          .limit(1)
          .executeTakeFirst();
        if (other === undefined) return "last-admin";
      }
      if (Object.keys(changes).length === 0)
        return tables.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirst();
      return tables
        .updateTable("users")
        .set(changes)
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
    });
  }

  invitations(): Promise<InvitationRow[]> {
    return this.#kysely
      .selectFrom("invitations")
      .selectAll()
      .orderBy("id", "desc")
      .limit(500)
      .execute();
  }

  addInvitation(row: Omit<InvitationRow, "id">): Promise<InvitationRow> {
    return this.#kysely
      .insertInto("invitations")
      .values(row as InvitationRow)
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  async revokeInvitation(id: number, now: number): Promise<boolean> {
    const result = await this.#kysely
      .updateTable("invitations")
      .set({ revoked_at: now })
      .where("id", "=", id)
      .where("revoked_at", "is", null)
      .where("used_by", "is", null)
      .executeTakeFirst();
    return result.numUpdatedRows === 1n;
  }

  get #kysely() {
    return this.#database.kysely.withTables<AuthTables>();
  }
}
