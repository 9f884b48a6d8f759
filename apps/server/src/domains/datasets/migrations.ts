// The datasets room's tables: datasets, their versions, and which content each version's files are.
import type { Migration } from "../../platform/db/database.ts";

export const migrations: readonly Migration[] = [
  {
    name: "0001-datasets",
    statements: (types) => [
      `CREATE TABLE datasets (
        id ${types.identity},
        project_id ${types.integer} NOT NULL,
        name ${types.text} NOT NULL,
        kind ${types.text} NOT NULL,
        created_at ${types.double} NOT NULL,
        created_by ${types.integer}
      )`,
      `CREATE INDEX datasets_by_project ON datasets (project_id, id)`,
      `CREATE TABLE dataset_versions (
        id ${types.identity},
        dataset_id ${types.integer} NOT NULL REFERENCES datasets (id),
        version ${types.integer} NOT NULL,
        created_at ${types.double} NOT NULL,
        created_by ${types.integer},
        num_files ${types.integer} NOT NULL,
        size ${types.integer} NOT NULL,
        sha256 ${types.text} NOT NULL,
        classes ${types.text} NOT NULL,
        skipped ${types.text} NOT NULL
      )`,
      `CREATE UNIQUE INDEX dataset_versions_by_number ON dataset_versions (dataset_id, version)`,
      `CREATE TABLE dataset_files (
        version_id ${types.integer} NOT NULL REFERENCES dataset_versions (id),
        path ${types.text} NOT NULL,
        sha256 ${types.text} NOT NULL,
        size ${types.integer} NOT NULL,
        PRIMARY KEY (version_id, path)
      )`,
      // The collector asks whether a file is still wanted by anybody.
      `CREATE INDEX dataset_files_by_content ON dataset_files (sha256)`,
    ],
  },
  {
    name: "0002-texts",
    statements: (types) => [
      `ALTER TABLE dataset_versions ADD COLUMN num_rows ${types.integer}`,
      `ALTER TABLE dataset_versions ADD COLUMN columns ${types.text} NOT NULL DEFAULT '[]'`,
    ],
  },
  {
    // Null for versions from before: counted from their files when somebody first asks.
    name: "0003-file-types",
    statements: (types) => [`ALTER TABLE dataset_versions ADD COLUMN file_types ${types.text}`],
  },
];
