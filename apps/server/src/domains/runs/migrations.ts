// The runs room's tables: runs, their last metric values, files and log lines.
import type { Migration } from "../../platform/db/database.ts";

const HAD_SEVERAL_ATTEMPTS = `(SELECT COUNT(*) FROM attempts
  WHERE attempts.job_id = runs.id AND attempts.first_step IS NOT NULL) > 1`;
/** The first attempt's preparations do not count, as in the run's own start; those of later ones are not known. */
const ATTEMPT_BEGAN =
  "(CASE WHEN a.started_at > runs.started_at THEN a.started_at ELSE runs.started_at END)";

export const migrations: readonly Migration[] = [
  {
    name: "0001-runs",
    statements: (types) => [
      // state, reason, started_at and ended_at mirror the job's, so that the list never joins.
      `CREATE TABLE runs (
        id ${types.integer} PRIMARY KEY REFERENCES jobs (id),
        project_id ${types.integer} NOT NULL,
        owner_id ${types.integer},
        owner_name ${types.text},
        name ${types.text} NOT NULL,
        name_key ${types.text} NOT NULL,
        source ${types.text} NOT NULL,
        recipe ${types.text},
        state ${types.text} NOT NULL,
        reason ${types.text},
        note ${types.text} NOT NULL,
        tags ${types.text} NOT NULL,
        search_text ${types.text} NOT NULL,
        config ${types.text} NOT NULL,
        client_id ${types.text},
        parent_id ${types.integer},
        created_at ${types.double} NOT NULL,
        started_at ${types.double},
        ended_at ${types.double},
        last_event_at ${types.double},
        archived_at ${types.double},
        deleted_at ${types.double},
        progress ${types.text},
        best ${types.text},
        facts ${types.text},
        error ${types.text},
        num_log_lines ${types.integer} NOT NULL DEFAULT 0
      )`,
      `CREATE UNIQUE INDEX runs_by_client_id ON runs (project_id, client_id)`,
      `CREATE INDEX runs_by_name ON runs (name_key, id)`,
      `CREATE INDEX runs_by_state ON runs (state, id)`,
      `CREATE INDEX runs_by_creation ON runs (created_at, id)`,
      `CREATE INDEX runs_by_project ON runs (project_id, deleted_at, archived_at, id)`,
      // A last_value of NULL stands for NaN: SQLite keeps no NaN in a REAL.
      `CREATE TABLE run_metrics (
        run_id ${types.integer} NOT NULL REFERENCES runs (id),
        name ${types.text} NOT NULL,
        last_value ${types.double},
        last_step ${types.integer},
        last_time ${types.double},
        PRIMARY KEY (run_id, name)
      )`,
      `CREATE INDEX run_metrics_by_value ON run_metrics (name, last_value, run_id)`,
      `CREATE TABLE run_files (
        id ${types.identity},
        run_id ${types.integer} NOT NULL REFERENCES runs (id),
        kind ${types.text} NOT NULL,
        path ${types.text} NOT NULL,
        size ${types.integer} NOT NULL,
        sha256 ${types.text} NOT NULL,
        attempt ${types.integer} NOT NULL,
        step ${types.integer},
        epoch ${types.integer},
        metrics ${types.text} NOT NULL,
        label ${types.text},
        created_at ${types.double} NOT NULL,
        removed_at ${types.double}
      )`,
      `CREATE UNIQUE INDEX run_files_by_path ON run_files (run_id, path)`,
      `CREATE TABLE run_logs (
        run_id ${types.integer} NOT NULL REFERENCES runs (id),
        line_no ${types.integer} NOT NULL,
        attempt ${types.integer} NOT NULL,
        time ${types.double} NOT NULL,
        stream ${types.text} NOT NULL,
        level ${types.text} NOT NULL,
        text ${types.text} NOT NULL,
        step ${types.integer},
        PRIMARY KEY (run_id, line_no)
      )`,
    ],
  },
  {
    name: "0002-runs-model-name",
    statements: (types) => [
      `ALTER TABLE runs ADD COLUMN model_name ${types.text}`,
      `ALTER TABLE runs ADD COLUMN data_name ${types.text}`,
    ],
  },
  {
    name: "0003-runs-last-step",
    statements: (types) => [`ALTER TABLE runs ADD COLUMN last_step ${types.integer}`],
  },
  {
    name: "0004-run-forks",
    statements: (types) => [
      `CREATE TABLE run_forks (
        run_id ${types.integer} PRIMARY KEY REFERENCES runs (id),
        parent_id ${types.integer} NOT NULL,
        step ${types.integer} NOT NULL,
        checkpoint_sha256 ${types.text} NOT NULL,
        keep ${types.text} NOT NULL,
        changes ${types.text} NOT NULL
      )`,
      `CREATE INDEX runs_by_parent ON runs (parent_id)`,
    ],
  },
  {
    // 2026-11-22: the time that a run has trained, kept where the list sorts by it, and the means of its last epoch. What
    // was before is filled in from its attempts; how long it was paused then nobody knows any more.
    name: "0005-runs-trained-time",
    statements: (types) => [
      `ALTER TABLE runs ADD COLUMN trained_s ${types.double} NOT NULL DEFAULT 0`,
      `ALTER TABLE runs ADD COLUMN training_since ${types.double}`,
      `ALTER TABLE runs ADD COLUMN epoch_means ${types.text}`,
      `UPDATE runs SET trained_s = ended_at - started_at
       WHERE ended_at > started_at AND NOT (${HAD_SEVERAL_ATTEMPTS})`,
      `UPDATE runs SET trained_s = COALESCE((SELECT SUM(a.ended_at - ${ATTEMPT_BEGAN})
         FROM attempts a WHERE a.job_id = runs.id AND a.first_step IS NOT NULL
         AND a.ended_at > ${ATTEMPT_BEGAN}), 0)
       WHERE started_at IS NOT NULL AND (ended_at IS NULL OR ${HAD_SEVERAL_ATTEMPTS})`,
      `UPDATE runs SET training_since = COALESCE((SELECT MAX(${ATTEMPT_BEGAN})
         FROM attempts a WHERE a.job_id = runs.id AND a.ended_at IS NULL), started_at)
       WHERE started_at IS NOT NULL AND state = 'running'`,
      `UPDATE runs SET trained_s = trained_s + COALESCE((SELECT MAX(runs.last_event_at - ${ATTEMPT_BEGAN})
         FROM attempts a WHERE a.job_id = runs.id AND a.ended_at IS NULL
         AND runs.last_event_at > ${ATTEMPT_BEGAN}), 0)
       WHERE started_at IS NOT NULL AND state = 'paused'`,
    ],
  },
  {
    // 2026-11-22: programs of one's own told each of their checkpoints as the last one.
    name: "0006-one-last-checkpoint",
    statements: () => [
      `UPDATE run_files SET label = NULL
       WHERE kind = 'checkpoint' AND label = 'last' AND EXISTS (
         SELECT 1 FROM run_files later WHERE later.run_id = run_files.run_id
         AND later.kind = 'checkpoint' AND later.created_at > run_files.created_at)`,
    ],
  },
];
