// All SQL of deliveries: made with the alert, leased while they are sent, settled or put off.
import type { DeliveryState } from "@spotter/contract";
import type { ExpressionBuilder, Insertable, Kysely, Transaction } from "kysely";
import type { AnyTables, Database } from "../../platform/db/database.ts";
import type { Projects } from "./store.ts";
import type { AlertTables, DeliveriesTable, DeliveryRow } from "./tables.ts";

export interface DeliveryFilter {
  readonly projects: Projects;
  readonly targetId?: number;
  readonly alertId?: number;
  readonly state?: DeliveryState;
  readonly before?: number;
  readonly limit: number;
}

/** How one try went. */
export type Outcome = Pick<
  DeliveryRow,
  "state" | "num_tries" | "next_try_at" | "last_status" | "last_answer" | "settled_at"
>;

/** Between two tries of a delivery. */
export const LONGEST_WAIT_S = 3_600;

/** Its time has come; further ahead than the longest wait lies only what was written before the clock was set back. */
function isDue(now: number, leaseSeconds: number) {
  const longest = now + LONGEST_WAIT_S + leaseSeconds;
  return (where: ExpressionBuilder<AlertTables, "alert_deliveries">) =>
    where.or([where("next_try_at", "<=", now), where("next_try_at", ">", longest)]);
}

export class DeliveriesStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #read(): Kysely<AlertTables> {
    return this.#database.kysely.withTables<AlertTables>();
  }

  async add(
    transaction: Transaction<AnyTables>,
    rows: readonly Insertable<DeliveriesTable>[],
  ): Promise<void> {
    if (rows.length === 0) return;
    await transaction
      .withTables<AlertTables>()
      .insertInto("alert_deliveries")
      .values([...rows])
      .execute();
  }

  addOne(row: Insertable<DeliveriesTable>): Promise<DeliveryRow> {
    return this.#read
      .insertInto("alert_deliveries")
      .values(row)
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  delivery(id: number): Promise<DeliveryRow | undefined> {
    return this.#read
      .selectFrom("alert_deliveries")
      .selectAll()
      .where("id", "=", id)
      .executeTakeFirst();
  }

  deliveries(filter: DeliveryFilter): Promise<DeliveryRow[]> {
    let query = this.#read
      .selectFrom("alert_deliveries")
      .selectAll()
      .orderBy("id", "desc")
      .limit(filter.limit);
    if (filter.projects !== null) query = query.where("project_id", "in", [...filter.projects]);
    if (filter.targetId !== undefined) query = query.where("target_id", "=", filter.targetId);
    if (filter.alertId !== undefined) query = query.where("alert_id", "=", filter.alertId);
    if (filter.state !== undefined) query = query.where("state", "=", filter.state);
    if (filter.before !== undefined) query = query.where("id", "<", filter.before);
    return query.execute();
  }

  /** Whether a look is worth its transaction. */
  async hasDue(now: number, leaseSeconds: number): Promise<boolean> {
    const row = await this.#read
      .selectFrom("alert_deliveries")
      .select("id")
      .where("state", "=", "waiting")
      .where(isDue(now, leaseSeconds))
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Due ones, hidden from everybody else until the lease ends: a server that dies meanwhile leaves them to the next. */
  claim(now: number, leaseSeconds: number, limit: number): Promise<DeliveryRow[]> {
    return this.#database.transaction(async (transaction) => {
      const tables = transaction.withTables<AlertTables>();
      const due = await tables
        .selectFrom("alert_deliveries")
        .selectAll()
        .where("state", "=", "waiting")
        .where(isDue(now, leaseSeconds))
        .orderBy("next_try_at")
        .limit(limit)
        .forUpdate()
        .skipLocked()
        .execute();
      if (due.length > 0)
        await tables
          .updateTable("alert_deliveries")
          .set({ next_try_at: now + leaseSeconds })
          .where(
            "id",
            "in",
            due.map(({ id }) => id),
          )
          .execute();
      return due;
    });
  }

  async settle(id: number, outcome: Outcome): Promise<void> {
    await this.#read.updateTable("alert_deliveries").set(outcome).where("id", "=", id).execute();
  }

  /** Nothing was sent: it is due at once, and the try does not count. */
  async putBack(id: number, now: number): Promise<void> {
    await this.#read
      .updateTable("alert_deliveries")
      .set({ next_try_at: now })
      .where("id", "=", id)
      .where("state", "=", "waiting")
      .execute();
  }

  /** @returns undefined when somebody else has done so already */
  sendAgain(id: number, now: number): Promise<DeliveryRow | undefined> {
    return this.#read
      .updateTable("alert_deliveries")
      .set({ state: "waiting", num_tries: 0, next_try_at: now, settled_at: null })
      .where("id", "=", id)
      .where("state", "!=", "waiting")
      .returningAll()
      .executeTakeFirst();
  }

  async giveUp(targetId: number, now: number, why: string): Promise<void> {
    await this.#read
      .updateTable("alert_deliveries")
      .set({ state: "dead", next_try_at: null, last_answer: why, settled_at: now })
      .where("target_id", "=", targetId)
      .where("state", "=", "waiting")
      .execute();
  }
}
