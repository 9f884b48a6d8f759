// The models room's tables: models, their versions with metrics and files, and the history of stages.
import type { Migration } from "../../platform/db/database.ts";

export const migrations: readonly Migration[] = [
  {
    name: "0001-models",
    statements: (types) => [
      // last_version counts up under the row's lock, so that two runs which end at once get two numbers.
      `CREATE TABLE models (
        id ${types.identity},
        project_id ${types.integer} NOT NULL,
        name ${types.text} NOT NULL,
        name_key ${types.text} NOT NULL,
        last_version ${types.integer} NOT NULL,
        created_at ${types.double} NOT NULL
      )`,
      `CREATE UNIQUE INDEX models_by_name ON models (project_id, name_key)`,
      // run_id and parent_id refer to nothing: a version outlives its run, and its parent.
      `CREATE TABLE model_versions (
        id ${types.identity},
        model_id ${types.integer} NOT NULL REFERENCES models (id),
        version ${types.integer} NOT NULL,
        run_id ${types.integer} NOT NULL,
        run_name ${types.text} NOT NULL,
        recipe ${types.text} NOT NULL,
        config ${types.text} NOT NULL,
        metrics ${types.text} NOT NULL,
        data ${types.text} NOT NULL,
        parent_id ${types.integer},
        code ${types.text},
        weights_path ${types.text} NOT NULL,
        weights_size ${types.integer} NOT NULL,
        weights_sha256 ${types.text} NOT NULL,
        storage ${types.text} NOT NULL,
        classes ${types.text} NOT NULL,
        num_parameters ${types.integer},
        latency_ms ${types.double},
        note ${types.text} NOT NULL,
        tags ${types.text} NOT NULL,
        search_text ${types.text} NOT NULL,
        stage ${types.text} NOT NULL,
        created_at ${types.double} NOT NULL,
        created_by ${types.integer},
        created_by_name ${types.text},
        deleted_at ${types.double}
      )`,
      `CREATE UNIQUE INDEX model_versions_by_number ON model_versions (model_id, version)`,
      `CREATE UNIQUE INDEX model_versions_by_weights ON model_versions (model_id, run_id, weights_sha256)`,
      `CREATE INDEX model_versions_by_run ON model_versions (run_id)`,
      `CREATE INDEX model_versions_by_parent ON model_versions (parent_id)`,
      `CREATE UNIQUE INDEX model_versions_in_production ON model_versions (model_id)
        WHERE stage = 'production'`,
      // A value of NULL stands for NaN: SQLite keeps no NaN in a REAL.
      `CREATE TABLE model_version_metrics (
        version_id ${types.integer} NOT NULL REFERENCES model_versions (id),
        name ${types.text} NOT NULL,
        value ${types.double},
        PRIMARY KEY (version_id, name)
      )`,
      `CREATE INDEX model_version_metrics_by_value ON model_version_metrics (name, value)`,
      `CREATE TABLE model_version_files (
        version_id ${types.integer} NOT NULL REFERENCES model_versions (id),
        path ${types.text} NOT NULL,
        sha256 ${types.text} NOT NULL,
        size ${types.integer} NOT NULL,
        PRIMARY KEY (version_id, path)
      )`,
      // The collector asks whether a file is still wanted by anybody.
      `CREATE INDEX model_version_files_by_content ON model_version_files (sha256)`,
      `CREATE TABLE model_stage_changes (
        id ${types.identity},
        model_id ${types.integer} NOT NULL REFERENCES models (id),
        version_id ${types.integer} NOT NULL,
        stage_from ${types.text} NOT NULL,
        stage_to ${types.text} NOT NULL,
        is_rollback ${types.integer} NOT NULL,
        changed_at ${types.double} NOT NULL,
        changed_by ${types.integer},
        changed_by_name ${types.text}
      )`,
      `CREATE INDEX model_stage_changes_by_model ON model_stage_changes (model_id, id)`,
    ],
  },
  {
    name: "0002-stage-reasons",
    statements: (types) => [
      `ALTER TABLE model_stage_changes ADD COLUMN reason ${types.text} NOT NULL DEFAULT ''`,
    ],
  },
  {
    // Null: registered before changes were recorded.
    name: "0003-version-config-changes",
    statements: (types) => [`ALTER TABLE model_versions ADD COLUMN config_changes ${types.text}`],
  },
];
