// The tables of this room. `docs/decisions` says why points lie in blobs; store.ts and procedures.ts read and write them.
import type { Migration } from "../../platform/db/database.ts";

export const metricsMigrations: readonly Migration[] = [
  {
    name: "0001-metrics",
    statements: (types, engine) => {
      // Prefix trees need byte order, on both engines.
      const name = engine === "postgres" ? `${types.text} collate "C"` : types.text;
      // One tree less to write for each new name.
      const clustered = engine === "sqlite" ? "without rowid" : "";
      const statements = [
        `create table metric_streams (
          run_id ${types.integer} primary key,
          commit_no ${types.integer} not null,
          sealed_commit_no ${types.integer} not null,
          num_series ${types.integer} not null,
          num_points ${types.integer} not null,
          tail_points ${types.integer} not null,
          version ${types.integer} not null,
          updated_at ${types.double} not null)`,
        `create table metric_attempts (
          run_id ${types.integer} not null,
          attempt ${types.integer} not null,
          first_step ${types.integer} not null,
          primary key (run_id, attempt))`,
        `create table metric_series (
          run_id ${types.integer} not null,
          series_id ${types.integer} not null,
          name ${name} not null,
          num_points ${types.integer} not null,
          last_attempt ${types.integer},
          last_step ${types.integer},
          last_time ${types.text},
          last_value ${types.text},
          primary key (run_id, series_id)) ${clustered}`,
        "create unique index metric_series_name on metric_series (run_id, name)",
        `create table metric_batches (
          run_id ${types.integer} not null,
          commit_no ${types.integer} not null,
          attempt ${types.integer} not null,
          num_points ${types.integer} not null,
          data ${types.bytes} not null,
          primary key (run_id, commit_no))`,
        `create table metric_chunks (
          run_id ${types.integer} not null,
          series_id ${types.integer} not null,
          first_commit ${types.integer} not null,
          last_commit ${types.integer} not null,
          attempt ${types.integer} not null,
          count ${types.integer} not null,
          in_order ${types.integer} not null,
          min_step ${types.integer} not null,
          max_step ${types.integer} not null,
          max_time ${types.double} not null,
          doubles ${types.bytes} not null,
          num_nan ${types.integer} not null,
          num_pos_inf ${types.integer} not null,
          num_neg_inf ${types.integer} not null,
          rollup_2048 ${types.bytes},
          rollup_256 ${types.bytes},
          rollup_32 ${types.bytes},
          data ${types.bytes},
          primary key (run_id, series_id, first_commit))`,
        "create index metric_chunks_commit on metric_chunks (run_id, last_commit)",
        `create table metric_segments (
          run_id ${types.integer} not null,
          series_id ${types.integer} not null,
          chunk_commit ${types.integer} not null,
          segment_no ${types.integer} not null,
          first_commit ${types.integer} not null,
          last_commit ${types.integer} not null,
          data ${types.bytes} not null,
          primary key (run_id, series_id, chunk_commit, segment_no))`,
      ];
      if (engine === "postgres") statements.push(...PACKED_COLUMNS);
      return statements;
    },
  },
];

// These bytes are packed already; PostgreSQL must not try once more.
const PACKED_COLUMNS = [
  "alter table metric_batches alter column data set storage external",
  "alter table metric_chunks alter column data set storage external",
  "alter table metric_chunks alter column rollup_32 set storage external",
  "alter table metric_chunks alter column rollup_256 set storage external",
  "alter table metric_chunks alter column rollup_2048 set storage external",
  "alter table metric_segments alter column data set storage external",
];
