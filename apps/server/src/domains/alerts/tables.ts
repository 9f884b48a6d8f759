// The rows of the alerts room's tables as Kysely sees them, and a rule as the watchers hold it.
import type {
  AlertClosing,
  AlertCondition,
  AlertEvent,
  AlertLanguage,
  AlertScope,
  AlertTargetKind,
  DeliveryState,
  JobState,
} from "@spotter/contract";
import type { Generated, Selectable } from "kysely";

export type RulesTable = {
  id: Generated<number>;
  project_id: number;
  name: string;
  enabled: number;
  /** JSON, like condition and target_ids. */
  scope: string;
  condition: string;
  cooldown_s: number;
  notify_recovered: number;
  target_ids: string;
  version: number;
  since: number;
  created_at: number;
  created_by_name: string | null;
};

export type TargetsTable = {
  id: Generated<number>;
  project_id: number;
  name: string;
  kind: AlertTargetKind;
  url_hint: string;
  sealed: string;
  has_secret: number;
  language: AlertLanguage;
  enabled: number;
  created_at: number;
  created_by_name: string | null;
  deleted_at: number | null;
};

export type AlertsTable = {
  id: Generated<number>;
  rule_id: number;
  rule_name: string;
  project_id: number;
  run_id: number;
  run_name: string;
  condition: string;
  state: JobState | null;
  /** Why the run is in that state. */
  reason: Generated<string | null>;
  metric: string | null;
  value: string | null;
  step: number | null;
  fired_at: number;
  /** From then on it is not open. */
  recovered_at: number | null;
  /** Why, where it has not recovered. */
  closed_why: Generated<AlertClosing | null>;
};

/** One row. */
export type RulesRevisionTable = { id: number; revision: number };

export type ReadersTable = { user_id: number; read_up_to: number };

export type ProgressTable = {
  run_id: number;
  commit_no: number;
  tallies: string;
  is_done: number;
  saved_at: number;
};

export type DeliveriesTable = {
  id: Generated<number>;
  delivery_key: string;
  project_id: number;
  alert_id: number | null;
  target_id: number;
  target_name: string;
  target_kind: AlertTargetKind;
  event: AlertEvent;
  run_id: number | null;
  rule_name: string;
  /** The alert as it was told, as JSON; null for a test. */
  alert: string | null;
  state: DeliveryState;
  num_tries: number;
  next_try_at: number | null;
  last_status: number | null;
  last_answer: string | null;
  created_at: number;
  settled_at: number | null;
};

export type AlertTables = {
  alert_rules: RulesTable;
  alert_rules_revision: RulesRevisionTable;
  alert_targets: TargetsTable;
  alerts: AlertsTable;
  alert_readers: ReadersTable;
  alert_progress: ProgressTable;
  alert_deliveries: DeliveriesTable;
};
export type RuleRow = Selectable<RulesTable>;
export type TargetRow = Selectable<TargetsTable>;
export type AlertRow = Selectable<AlertsTable>;
export type DeliveryRow = Selectable<DeliveriesTable>;

/** A rule as the watchers hold it. */
export interface Rule {
  readonly id: number;
  readonly projectId: number;
  readonly name: string;
  readonly scope: AlertScope;
  readonly condition: AlertCondition;
  readonly cooldownS: number;
  readonly version: number;
  /** Points of before do not count. */
  readonly since: number;
}

export function toRuleValue(row: RuleRow): Rule {
  return {
    id: row.id,
    projectId: row.project_id,
    name: row.name,
    scope: JSON.parse(row.scope) as AlertScope,
    condition: JSON.parse(row.condition) as AlertCondition,
    cooldownS: row.cooldown_s,
    version: row.version,
    since: row.since,
  };
}
