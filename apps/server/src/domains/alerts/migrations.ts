// The alerts room's tables: rules, targets, what fired, deliveries, and how far each run's points were looked at.
import type { Migration } from "../../platform/db/database.ts";

export const migrations: readonly Migration[] = [
  {
    name: "0001-alerts",
    statements: (types) => [
      // version and since begin anew with a changed scope or condition: older points do not count for it.
      `CREATE TABLE alert_rules (
        id ${types.identity},
        project_id ${types.integer} NOT NULL,
        name ${types.text} NOT NULL,
        enabled ${types.integer} NOT NULL,
        scope ${types.text} NOT NULL,
        condition ${types.text} NOT NULL,
        cooldown_s ${types.double} NOT NULL,
        notify_recovered ${types.integer} NOT NULL,
        target_ids ${types.text} NOT NULL,
        version ${types.integer} NOT NULL,
        since ${types.double} NOT NULL,
        created_at ${types.double} NOT NULL,
        created_by_name ${types.text}
      )`,
      `CREATE INDEX alert_rules_by_project ON alert_rules (project_id, id)`,
      // Address and secret are sealed together; only the hint is readable.
      `CREATE TABLE alert_targets (
        id ${types.identity},
        project_id ${types.integer} NOT NULL,
        name ${types.text} NOT NULL,
        kind ${types.text} NOT NULL,
        url_hint ${types.text} NOT NULL,
        sealed ${types.text} NOT NULL,
        has_secret ${types.integer} NOT NULL,
        language ${types.text} NOT NULL,
        enabled ${types.integer} NOT NULL,
        created_at ${types.double} NOT NULL,
        created_by_name ${types.text},
        deleted_at ${types.double}
      )`,
      `CREATE INDEX alert_targets_by_project ON alert_targets (project_id, id)`,
      // value is JSON, because SQLite keeps no NaN in a REAL. rule_id refers to nothing: an alert outlives its rule.
      `CREATE TABLE alerts (
        id ${types.identity},
        rule_id ${types.integer} NOT NULL,
        rule_name ${types.text} NOT NULL,
        project_id ${types.integer} NOT NULL,
        run_id ${types.integer} NOT NULL,
        run_name ${types.text} NOT NULL,
        condition ${types.text} NOT NULL,
        state ${types.text},
        metric ${types.text},
        value ${types.text},
        step ${types.integer},
        fired_at ${types.double} NOT NULL,
        recovered_at ${types.double}
      )`,
      // Once per run and rule until it has recovered: whoever comes second, inserts nothing.
      `CREATE UNIQUE INDEX alerts_open ON alerts (rule_id, run_id) WHERE recovered_at IS NULL`,
      `CREATE INDEX alerts_by_project ON alerts (project_id, id)`,
      `CREATE INDEX alerts_by_rule ON alerts (rule_id, run_id, id)`,
      `CREATE INDEX alerts_by_run ON alerts (run_id, id)`,
      `CREATE TABLE alert_readers (
        user_id ${types.integer} PRIMARY KEY,
        read_up_to ${types.integer} NOT NULL
      )`,
      `CREATE TABLE alert_progress (
        run_id ${types.integer} PRIMARY KEY,
        commit_no ${types.integer} NOT NULL,
        tallies ${types.text} NOT NULL,
        is_done ${types.integer} NOT NULL,
        saved_at ${types.double} NOT NULL
      )`,
      `CREATE INDEX alert_progress_open ON alert_progress (is_done, run_id)`,
      `CREATE TABLE alert_deliveries (
        id ${types.identity},
        delivery_key ${types.text} NOT NULL,
        project_id ${types.integer} NOT NULL,
        alert_id ${types.integer},
        target_id ${types.integer} NOT NULL,
        target_name ${types.text} NOT NULL,
        target_kind ${types.text} NOT NULL,
        event ${types.text} NOT NULL,
        run_id ${types.integer},
        rule_name ${types.text} NOT NULL,
        alert ${types.text},
        state ${types.text} NOT NULL,
        num_tries ${types.integer} NOT NULL,
        next_try_at ${types.double},
        last_status ${types.integer},
        last_answer ${types.text},
        created_at ${types.double} NOT NULL,
        settled_at ${types.double}
      )`,
      `CREATE INDEX alert_deliveries_due ON alert_deliveries (state, next_try_at)`,
      `CREATE INDEX alert_deliveries_by_project ON alert_deliveries (project_id, id)`,
    ],
  },
  {
    // recovered_at stays the moment from which an alert is open no more; closed_why says that nothing has recovered.
    name: "0002-alert-endings",
    statements: (types) => [
      `ALTER TABLE alerts ADD COLUMN reason ${types.text}`,
      `ALTER TABLE alerts ADD COLUMN closed_why ${types.text}`,
      // Rises with every change of a rule, so that servers beside each other see it.
      `CREATE TABLE alert_rules_revision (
        id ${types.integer} PRIMARY KEY,
        revision ${types.integer} NOT NULL
      )`,
      `INSERT INTO alert_rules_revision (id, revision) VALUES (1, 1)`,
    ],
  },
];
