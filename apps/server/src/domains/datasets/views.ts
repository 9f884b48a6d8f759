// Turns the datasets room's rows into the contract's shapes.
import type { Dataset } from "@spotter/contract";
import type { DatasetRow, DatasetVersionRow } from "./tables.ts";

export function toDataset(row: DatasetRow, versions: readonly DatasetVersionRow[]): Dataset {
  return {
    id: row.id,
    project_id: row.project_id,
    name: row.name,
    kind: row.kind,
    created_at: row.created_at,
    created_by: row.created_by,
    versions: versions.map((version) => ({
      id: version.id,
      dataset_id: version.dataset_id,
      version: version.version,
      created_at: version.created_at,
      created_by: version.created_by,
      num_files: version.num_files,
      size: version.size,
      sha256: version.sha256,
      classes: JSON.parse(version.classes),
      skipped: JSON.parse(version.skipped),
      num_rows: version.num_rows,
      columns: JSON.parse(version.columns),
      file_types: JSON.parse(version.file_types ?? "{}"),
    })),
  };
}
