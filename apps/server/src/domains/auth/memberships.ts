// Roles in projects, for the projects room: it knows the projects, this room knows the people.
import type { Member, Role } from "@spotter/contract";
import type { Database } from "../../platform/db/database.ts";
import { SpotterError } from "../../platform/errors.ts";
import type { AuthTables } from "./store.ts";

export class Memberships {
  readonly #database: Database;
  readonly #now: () => number;
  readonly #forget: () => void;

  constructor(database: Database, now: () => number, forget: () => void) {
    this.#database = database;
    this.#now = now;
    this.#forget = forget;
  }

  list(projectId: number): Promise<Member[]> {
    return this.#kysely
      .selectFrom("memberships")
      .innerJoin("users", "users.id", "memberships.user_id")
      .select([
        "users.id as user_id",
        "users.name",
        "users.display_name",
        "memberships.role",
        "memberships.since",
      ])
      .where("memberships.project_id", "=", projectId)
      .orderBy("users.name_key")
      .execute();
  }

  /** Gives a person a role, or changes it. */
  async set(projectId: number, userId: number, role: Role): Promise<Member> {
    const user = await this.#kysely
      .selectFrom("users")
      .select(["id", "name", "display_name"])
      .where("id", "=", userId)
      .executeTakeFirst();
    if (user === undefined) throw new SpotterError("user-not-found");
    const row = await this.#kysely
      .insertInto("memberships")
      .values({ project_id: projectId, user_id: userId, role, since: this.#now() })
      .onConflict((conflict) => conflict.columns(["project_id", "user_id"]).doUpdateSet({ role }))
      .returningAll()
      .executeTakeFirstOrThrow();
    this.#forget();
    return {
      user_id: user.id,
      name: user.name,
      display_name: user.display_name,
      role: row.role,
      since: row.since,
    };
  }

  async remove(projectId: number, userId: number): Promise<void> {
    const result = await this.#kysely
      .deleteFrom("memberships")
      .where("project_id", "=", projectId)
      .where("user_id", "=", userId)
      .executeTakeFirst();
    if (result.numDeletedRows === 0n) throw new SpotterError("member-not-found");
    this.#forget();
  }

  get #kysely() {
    return this.#database.kysely.withTables<AuthTables>();
  }
}
