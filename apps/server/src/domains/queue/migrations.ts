// The queue's tables: jobs, attempts at them, and the commands that travel to workers.
import type { Migration } from "../../platform/db/database.ts";

export const migrations: readonly Migration[] = [
  {
    name: "0001-queue",
    statements: (types) => [
      // Jobs and runs draw their ids from this one sequence: run 42 is job 42.
      `CREATE TABLE jobs (
        id ${types.identity},
        kind ${types.text} NOT NULL,
        project_id ${types.integer} NOT NULL,
        owner_id ${types.integer},
        name ${types.text} NOT NULL,
        state ${types.text} NOT NULL,
        priority ${types.integer} NOT NULL DEFAULT 0,
        created_at ${types.double} NOT NULL,
        started_at ${types.double},
        ended_at ${types.double},
        reason ${types.text},
        current_attempt ${types.integer} NOT NULL DEFAULT 0,
        work ${types.text},
        resume_from ${types.text},
        result ${types.text},
        stop_requested_at ${types.double},
        kill_at ${types.double}
      )`,
      `CREATE INDEX jobs_by_state ON jobs (state, kind, priority, id)`,
      `CREATE TABLE attempts (
        job_id ${types.integer} NOT NULL REFERENCES jobs (id),
        attempt ${types.integer} NOT NULL,
        state ${types.text} NOT NULL,
        token_hash ${types.text},
        worker_seq ${types.integer} NOT NULL DEFAULT 0,
        supervisor_seq ${types.integer} NOT NULL DEFAULT 0,
        started_at ${types.double} NOT NULL,
        ended_at ${types.double},
        last_event_at ${types.double},
        first_step ${types.integer},
        pid ${types.integer},
        pid_start_time ${types.text},
        heartbeat_at ${types.double},
        run_ended ${types.integer} NOT NULL DEFAULT 0,
        exit ${types.text},
        closed_at ${types.double},
        PRIMARY KEY (job_id, attempt)
      )`,
      `CREATE UNIQUE INDEX attempts_by_token ON attempts (token_hash)`,
      `CREATE INDEX attempts_by_state ON attempts (state)`,
      `CREATE TABLE job_commands (
        id ${types.identity},
        job_id ${types.integer} NOT NULL REFERENCES jobs (id),
        attempt ${types.integer} NOT NULL,
        action ${types.text} NOT NULL,
        state ${types.text} NOT NULL,
        created_at ${types.double} NOT NULL,
        created_by ${types.integer},
        created_by_name ${types.text},
        acked_at ${types.double},
        message ${types.text},
        step ${types.integer}
      )`,
      `CREATE INDEX job_commands_by_job ON job_commands (job_id, id)`,
      // Bytes that came over the wire, for executors that share no disk with the server.
      `CREATE TABLE job_files (
        job_id ${types.integer} NOT NULL REFERENCES jobs (id),
        sha256 ${types.text} NOT NULL,
        size ${types.integer} NOT NULL,
        created_at ${types.double} NOT NULL,
        PRIMARY KEY (job_id, sha256)
      )`,
      `CREATE INDEX job_files_by_content ON job_files (sha256)`,
    ],
  },
  {
    // 2026-11-21: who gets what of the machine, and when.
    name: "0002-queue-plan",
    statements: (types) => [
      `ALTER TABLE jobs ADD COLUMN owner_name ${types.text}`,
      `ALTER TABLE jobs ADD COLUMN wish ${types.text}`,
      `ALTER TABLE jobs ADD COLUMN limits ${types.text}`,
      `ALTER TABLE jobs ADD COLUMN granted ${types.text}`,
      `ALTER TABLE jobs ADD COLUMN place ${types.double}`,
      `ALTER TABLE jobs ADD COLUMN pinned ${types.integer}`,
      `ALTER TABLE jobs ADD COLUMN queued_at ${types.double}`,
      `ALTER TABLE jobs ADD COLUMN not_before ${types.double}`,
      `ALTER TABLE jobs ADD COLUMN attempts_before ${types.integer} NOT NULL DEFAULT 0`,
      `ALTER TABLE attempts ADD COLUMN last_step ${types.integer}`,
      `ALTER TABLE attempts ADD COLUMN expected_end ${types.double}`,
      `CREATE INDEX attempts_by_end ON attempts (ended_at)`,
    ],
  },
  {
    // What a `set` asks and has done, and how a `revert` brings its job back: `restart_from` on the job means that it
    // is queued again, from there, once its attempt has ended.
    name: "0002-live-changes",
    statements: (types) => [
      `ALTER TABLE job_commands ADD COLUMN wish ${types.text}`,
      `ALTER TABLE job_commands ADD COLUMN change ${types.text}`,
      `ALTER TABLE job_commands ADD COLUMN restart_from ${types.text}`,
      `ALTER TABLE job_commands ADD COLUMN reverted ${types.text}`,
      `ALTER TABLE jobs ADD COLUMN restart_from ${types.text}`,
      `ALTER TABLE jobs ADD COLUMN reverted_changes ${types.text}`,
    ],
  },
  {
    // A run's number is its job's. Predictions and pre-flights, which nobody calls by a number, count in a range of their
    // own: else each of them would leave a hole between two runs. Numbers that were given out stay what they are.
    name: "0003-job-numbers",
    statements: (types) => [
      `CREATE TABLE job_numbers (series ${types.text} PRIMARY KEY, last ${types.integer} NOT NULL)`,
      `INSERT INTO job_numbers (series, last) SELECT 'run', COALESCE(MAX(id), 0) FROM jobs`,
      `INSERT INTO job_numbers (series, last) VALUES ('light', 1000000000)`,
    ],
  },
  {
    // 2026-11-21: a more urgent job may make a running one give way; that is no lost attempt.
    name: "0004-preemption",
    statements: (types) => [
      `ALTER TABLE jobs ADD COLUMN preempted_by ${types.integer}`,
      `ALTER TABLE jobs ADD COLUMN num_preemptions ${types.integer} NOT NULL DEFAULT 0`,
      `ALTER TABLE attempts ADD COLUMN preempted ${types.integer} NOT NULL DEFAULT 0`,
      `ALTER TABLE attempts ADD COLUMN yield_refused ${types.integer} NOT NULL DEFAULT 0`,
    ],
  },
  {
    // What an executor calls an attempt, in its own words (the local one: its supervisor's pid and start time); and
    // what workers on other machines have saved and the server does not have yet.
    name: "0005-any-executor",
    statements: (types) => [
      `ALTER TABLE attempts ADD COLUMN executor_ref ${types.text}`,
      `UPDATE attempts SET executor_ref = CAST(pid AS text) || ':' || pid_start_time
       WHERE pid IS NOT NULL`,
      `CREATE TABLE job_fetches (
        job_id ${types.integer} NOT NULL REFERENCES jobs (id),
        path ${types.text} NOT NULL,
        kind ${types.text} NOT NULL,
        sha256 ${types.text},
        attempt ${types.integer} NOT NULL,
        seq ${types.integer} NOT NULL,
        told_at ${types.double} NOT NULL,
        PRIMARY KEY (job_id, path)
      )`,
    ],
  },
];
