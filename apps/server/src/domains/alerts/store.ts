// All SQL of rules, targets, alerts, who has read them, and how far points were looked at. Deliveries have their own.
import { type AlertClosing, TROUBLE_STATES } from "@spotter/contract";
import type { Insertable, Kysely, Transaction, Updateable } from "kysely";
import type { AnyTables, Database } from "../../platform/db/database.ts";
import type {
  AlertRow,
  AlertsTable,
  AlertTables,
  ProgressTable,
  RuleRow,
  RulesTable,
  TargetRow,
  TargetsTable,
} from "./tables.ts";

/** Null: every project. */
export type Projects = readonly number[] | null;

export interface AlertFilter {
  readonly projects: Projects;
  readonly runId?: number;
  readonly ruleId?: number;
  readonly isOpen: boolean;
  readonly before?: number;
  readonly limit: number;
}

/** Why open alerts are closed, and when. */
export interface Closing {
  readonly at: number;
  readonly why: AlertClosing;
}

/** How a rule stands with one run. */
export interface Standing {
  readonly rule_id: number;
  readonly run_id: number;
  readonly is_open: number;
  readonly last_fired_at: number;
}

export class AlertStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get #read(): Kysely<AlertTables> {
    return this.#database.kysely.withTables<AlertTables>();
  }

  transaction<T>(work: (transaction: Transaction<AnyTables>) => Promise<T>): Promise<T> {
    return this.#database.transaction(work);
  }

  // ---- rules ---------------------------------------------------------------------------------------------------------

  rule(id: number): Promise<RuleRow | undefined> {
    return this.#read.selectFrom("alert_rules").selectAll().where("id", "=", id).executeTakeFirst();
  }

  rules(projects: Projects): Promise<RuleRow[]> {
    let query = this.#read.selectFrom("alert_rules").selectAll().orderBy("id");
    if (projects !== null) query = query.where("project_id", "in", [...projects]);
    return query.execute();
  }

  enabledRules(): Promise<RuleRow[]> {
    return this.#read.selectFrom("alert_rules").selectAll().where("enabled", "=", 1).execute();
  }

  /** Rises with every change of a rule, whichever server made it. */
  async revision(): Promise<number> {
    const row = await this.#read
      .selectFrom("alert_rules_revision")
      .select("revision")
      .executeTakeFirstOrThrow();
    return Number(row.revision);
  }

  addRule(row: Insertable<RulesTable>): Promise<RuleRow> {
    return this.#changeRules((tables) =>
      tables.insertInto("alert_rules").values(row).returningAll().executeTakeFirstOrThrow(),
    );
  }

  /** @param closing of what is open: scope or condition are others now. @returns what was closed, too */
  updateRule(
    id: number,
    change: Updateable<RulesTable>,
    closing: Closing | null,
  ): Promise<{ rule: RuleRow | undefined; closed: AlertRow[] }> {
    return this.#changeRules(async (tables) => {
      const closed = closing === null ? [] : await closeAlerts(tables, { rule_id: id }, closing);
      const rule = await tables
        .updateTable("alert_rules")
        .set(change)
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      return { rule, closed };
    });
  }

  /** @returns the alerts that were closed with it */
  removeRule(id: number, closing: Closing): Promise<AlertRow[]> {
    return this.#changeRules(async (tables) => {
      const closed = await closeAlerts(tables, { rule_id: id }, closing);
      await tables.deleteFrom("alert_rules").where("id", "=", id).execute();
      return closed;
    });
  }

  #changeRules<T>(work: (tables: Kysely<AlertTables>) => Promise<T>): Promise<T> {
    return this.transaction(async (transaction) => {
      const tables = transaction.withTables<AlertTables>();
      const result = await work(tables);
      await tables
        .updateTable("alert_rules_revision")
        .set(({ eb }) => ({ revision: eb("revision", "+", 1) }))
        .execute();
      return result;
    });
  }

  /** By rule: when it last fired, and for how many runs it is open; what only tells something is not. */
  async ruleFacts(
    ruleIds: readonly number[],
  ): Promise<Map<number, { last_fired_at: number | null; num_open: number }>> {
    if (ruleIds.length === 0) return new Map();
    const rows = await this.#read
      .selectFrom("alerts")
      .select(({ fn, eb }) => [
        "rule_id",
        fn.max("fired_at").as("last_fired_at"),
        fn
          .sum<number>(
            eb
              .case()
              .when(
                eb.and([
                  eb("recovered_at", "is", null),
                  eb.or([eb("state", "is", null), eb("state", "in", [...TROUBLE_STATES])]),
                ]),
              )
              .then(1)
              .else(0)
              .end(),
          )
          .as("num"),
      ])
      .where("rule_id", "in", [...ruleIds])
      .groupBy("rule_id")
      .execute();
    return new Map(
      rows.map((row) => [
        row.rule_id,
        { last_fired_at: row.last_fired_at, num_open: Number(row.num) },
      ]),
    );
  }

  // ---- targets -------------------------------------------------------------------------------------------------------

  target(id: number): Promise<TargetRow | undefined> {
    return this.#read
      .selectFrom("alert_targets")
      .selectAll()
      .where("id", "=", id)
      .where("deleted_at", "is", null)
      .executeTakeFirst();
  }

  targets(projects: Projects): Promise<TargetRow[]> {
    let query = this.#read
      .selectFrom("alert_targets")
      .selectAll()
      .where("deleted_at", "is", null)
      .orderBy("id");
    if (projects !== null) query = query.where("project_id", "in", [...projects]);
    return query.execute();
  }

  addTarget(row: Insertable<TargetsTable>): Promise<TargetRow> {
    return this.#read
      .insertInto("alert_targets")
      .values(row)
      .returningAll()
      .executeTakeFirstOrThrow();
  }

  updateTarget(id: number, change: Updateable<TargetsTable>): Promise<TargetRow | undefined> {
    return this.#read
      .updateTable("alert_targets")
      .set(change)
      .where("id", "=", id)
      .where("deleted_at", "is", null)
      .returningAll()
      .executeTakeFirst();
  }

  // ---- alerts --------------------------------------------------------------------------------------------------------

  /** @returns undefined when the rule is open for this run already */
  fire(
    transaction: Transaction<AnyTables>,
    row: Insertable<AlertsTable>,
  ): Promise<AlertRow | undefined> {
    return transaction
      .withTables<AlertTables>()
      .insertInto("alerts")
      .values(row)
      .onConflict((conflict) =>
        conflict.columns(["rule_id", "run_id"]).where("recovered_at", "is", null).doNothing(),
      )
      .returningAll()
      .executeTakeFirst();
  }

  /** @returns undefined when there is nothing open */
  recover(
    transaction: Transaction<AnyTables>,
    ruleId: number,
    runId: number,
    now: number,
  ): Promise<AlertRow | undefined> {
    return transaction
      .withTables<AlertTables>()
      .updateTable("alerts")
      .set({ recovered_at: now })
      .where("rule_id", "=", ruleId)
      .where("run_id", "=", runId)
      .where("recovered_at", "is", null)
      .returningAll()
      .executeTakeFirst();
  }

  /** Inside the transaction that fires: the rule as it is now, with the targets that are switched on. */
  async ruleInside(
    transaction: Transaction<AnyTables>,
    id: number,
  ): Promise<{ rule: RuleRow; targets: TargetRow[] } | undefined> {
    const tables = transaction.withTables<AlertTables>();
    const rule = await tables
      .selectFrom("alert_rules")
      .selectAll()
      .where("id", "=", id)
      .executeTakeFirst();
    if (rule === undefined) return undefined;
    const ids = JSON.parse(rule.target_ids) as number[];
    if (ids.length === 0) return { rule, targets: [] };
    const targets = await tables
      .selectFrom("alert_targets")
      .selectAll()
      .where("id", "in", ids)
      .where("enabled", "=", 1)
      .where("deleted_at", "is", null)
      .execute();
    return { rule, targets };
  }

  alerts(filter: AlertFilter): Promise<AlertRow[]> {
    let query = this.#read
      .selectFrom("alerts")
      .selectAll()
      .orderBy("id", "desc")
      .limit(filter.limit);
    if (filter.projects !== null) query = query.where("project_id", "in", [...filter.projects]);
    if (filter.runId !== undefined) query = query.where("run_id", "=", filter.runId);
    if (filter.ruleId !== undefined) query = query.where("rule_id", "=", filter.ruleId);
    if (filter.isOpen) query = query.where("recovered_at", "is", null);
    if (filter.before !== undefined) query = query.where("id", "<", filter.before);
    return query.execute();
  }

  async numUnread(projects: Projects, readUpTo: number): Promise<number> {
    let query = this.#read
      .selectFrom("alerts")
      .select(({ fn }) => fn.countAll<number>().as("num"))
      .where("id", ">", readUpTo);
    if (projects !== null) query = query.where("project_id", "in", [...projects]);
    return Number((await query.executeTakeFirstOrThrow()).num);
  }

  async readUpTo(userId: number): Promise<number> {
    const row = await this.#read
      .selectFrom("alert_readers")
      .select("read_up_to")
      .where("user_id", "=", userId)
      .executeTakeFirst();
    return row?.read_up_to ?? 0;
  }

  /** A second tab that is behind does not make read alerts unread. */
  async markRead(userId: number, upTo: number): Promise<void> {
    await this.#read
      .insertInto("alert_readers")
      .values({ user_id: userId, read_up_to: upTo })
      .onConflict((conflict) =>
        conflict
          .column("user_id")
          .doUpdateSet({ read_up_to: upTo })
          .where("alert_readers.read_up_to", "<", upTo),
      )
      .execute();
  }

  /** How each of these rules stands with these runs, as far as it has fired for them. */
  standings(ruleIds: readonly number[], runIds: readonly number[]): Promise<Standing[]> {
    if (ruleIds.length === 0 || runIds.length === 0) return Promise.resolve([]);
    return this.#read
      .selectFrom("alerts")
      .select(({ fn, eb }) => [
        "rule_id",
        "run_id",
        fn.max("fired_at").as("last_fired_at"),
        fn
          .max<number>(eb.case().when("recovered_at", "is", null).then(1).else(0).end())
          .as("is_open"),
      ])
      .where("rule_id", "in", [...ruleIds])
      .where("run_id", "in", [...runIds])
      .groupBy(["rule_id", "run_id"])
      .execute();
  }

  /** What is open of these rules, whatever has become of the runs. */
  openOf(ruleIds: readonly number[]): Promise<Pick<AlertRow, "rule_id" | "run_id" | "fired_at">[]> {
    if (ruleIds.length === 0) return Promise.resolve([]);
    return this.#read
      .selectFrom("alerts")
      .select(["rule_id", "run_id", "fired_at"])
      .where("rule_id", "in", [...ruleIds])
      .where("recovered_at", "is", null)
      .execute();
  }

  // ---- how far points were looked at ---------------------------------------------------------------------------------

  progress(runId: number): Promise<ProgressTable | undefined> {
    return this.#read
      .selectFrom("alert_progress")
      .selectAll()
      .where("run_id", "=", runId)
      .executeTakeFirst();
  }

  /** Runs whose points may not all have been looked at. */
  async unfinished(): Promise<number[]> {
    const rows = await this.#read
      .selectFrom("alert_progress")
      .select("run_id")
      .where("is_done", "=", 0)
      .execute();
    return rows.map(({ run_id }) => run_id);
  }

  async saveProgress(
    transaction: Transaction<AnyTables>,
    rows: readonly ProgressTable[],
  ): Promise<void> {
    for (const { run_id, ...rest } of rows)
      await transaction
        .withTables<AlertTables>()
        .insertInto("alert_progress")
        .values({ run_id, ...rest })
        .onConflict((conflict) => conflict.column("run_id").doUpdateSet(rest))
        .execute();
  }

  /** A run is gone. @returns its alerts that were open */
  forgetRun(runId: number, closing: Closing): Promise<AlertRow[]> {
    return this.transaction(async (transaction) => {
      const tables = transaction.withTables<AlertTables>();
      await tables.deleteFrom("alert_progress").where("run_id", "=", runId).execute();
      return closeAlerts(tables, { run_id: runId }, closing);
    });
  }
}

function closeAlerts(
  tables: Kysely<AlertTables>,
  of: { readonly rule_id: number } | { readonly run_id: number },
  { at, why }: Closing,
): Promise<AlertRow[]> {
  const [column, id] =
    "rule_id" in of ? (["rule_id", of.rule_id] as const) : (["run_id", of.run_id] as const);
  return tables
    .updateTable("alerts")
    .set({ recovered_at: at, closed_why: why })
    .where(column, "=", id)
    .where("recovered_at", "is", null)
    .returningAll()
    .execute();
}
