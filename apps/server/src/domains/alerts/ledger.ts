// Writes down that a rule has fired or recovered: alert, deliveries and how far the points were looked at are one
// transaction, so that a server that dies loses none of it and doubles none of it. Then tells pages and courier.
import { randomUUID } from "node:crypto";
import { encodeMetricValue, type JobState } from "@spotter/contract";
import type { Insertable, Transaction } from "kysely";
import type { Bus } from "../../platform/bus.ts";
import type { AnyTables } from "../../platform/db/database.ts";
import type { DeliveriesStore } from "./deliveries-store.ts";
import type { AlertStore } from "./store.ts";
import type { AlertRow, DeliveriesTable, ProgressTable, Rule, TargetRow } from "./tables.ts";
import { toAlert } from "./views.ts";

/** What was seen of a run, by a rule of the version that saw it. */
export interface Change {
  readonly kind: "fires" | "recovers";
  readonly rule: Pick<Rule, "id" | "version">;
  readonly run: { readonly id: number; readonly name: string };
  readonly state?: JobState;
  /** Why it is in that state. */
  readonly reason?: string | null;
  readonly metric?: string;
  readonly value?: number;
  readonly step?: number;
}

export interface LedgerParts {
  readonly store: AlertStore;
  readonly deliveries: DeliveriesStore;
  readonly bus: Bus;
  readonly now: () => number;
  /** New deliveries wait. */
  readonly kick: () => void;
}

export class Ledger {
  readonly #parts: LedgerParts;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  /** May be repeated: what is open does not open again, what is closed does not close again. */
  async write(changes: readonly Change[], progress: readonly ProgressTable[] = []): Promise<void> {
    const { store, kick } = this.#parts;
    if (changes.length === 0 && progress.length === 0) return;
    const changed = await store.transaction(async (transaction) => {
      const rows: AlertRow[] = [];
      for (const change of changes) {
        const row = await this.#apply(transaction, change);
        if (row !== undefined) rows.push(row);
      }
      await store.saveProgress(transaction, progress);
      return rows;
    });
    this.tell(changed);
    if (changed.length > 0) kick();
  }

  /** To whoever has a page open. */
  tell(rows: readonly AlertRow[]): void {
    for (const row of rows)
      this.#parts.bus.publish({
        type: "alert-changed",
        alert: toAlert(row),
        project_id: row.project_id,
      });
  }

  /** Changed, switched off or removed meanwhile, a rule no longer speaks. */
  async #apply(transaction: Transaction<AnyTables>, change: Change): Promise<AlertRow | undefined> {
    const { store, deliveries, now } = this.#parts;
    const found = await store.ruleInside(transaction, change.rule.id);
    if (found === undefined || found.rule.version !== change.rule.version) return undefined;
    const { rule, targets } = found;
    if (change.kind === "recovers") {
      const row = await store.recover(transaction, rule.id, change.run.id, now());
      if (row !== undefined && rule.notify_recovered === 1)
        await deliveries.add(transaction, deliveriesOf(row, targets, "alert-recovered", now()));
      return row;
    }
    if (rule.enabled === 0) return undefined;
    const row = await store.fire(transaction, {
      ...{ rule_id: rule.id, rule_name: rule.name, project_id: rule.project_id },
      ...{ run_id: change.run.id, run_name: change.run.name, condition: rule.condition },
      state: change.state ?? null,
      reason: change.reason ?? null,
      metric: change.metric ?? null,
      value: change.value === undefined ? null : JSON.stringify(encodeMetricValue(change.value)),
      step: change.step === undefined ? null : Math.trunc(change.step),
      ...{ fired_at: now(), recovered_at: null },
    });
    if (row !== undefined)
      await deliveries.add(transaction, deliveriesOf(row, targets, "alert-fired", now()));
    return row;
  }
}

function deliveriesOf(
  row: AlertRow,
  targets: readonly TargetRow[],
  event: "alert-fired" | "alert-recovered",
  now: number,
): Insertable<DeliveriesTable>[] {
  const alert = JSON.stringify(toAlert(row));
  return targets.map((target) => ({
    ...deliveryTo(target, now),
    ...{ alert_id: row.id, event, run_id: row.run_id, rule_name: row.rule_name, alert },
  }));
}

/** Due at once, and never tried yet. */
export function deliveryTo(
  target: TargetRow,
  now: number,
): Omit<Insertable<DeliveriesTable>, "event" | "rule_name"> {
  return {
    delivery_key: randomUUID(),
    ...{ project_id: target.project_id, target_id: target.id, target_name: target.name },
    ...{ target_kind: target.kind, state: "waiting", num_tries: 0, next_try_at: now },
    ...{ alert_id: null, run_id: null, alert: null, last_status: null, last_answer: null },
    ...{ created_at: now, settled_at: null },
  };
}
