// The rows of the datasets room's tables as Kysely sees them.
import type { Dataset } from "@spotter/contract";
import type { Generated, Selectable } from "kysely";

export type DatasetsTable = {
  id: Generated<number>;
  project_id: number;
  name: string;
  kind: Dataset["kind"];
  created_at: number;
  created_by: number | null;
};

export type DatasetVersionsTable = {
  id: Generated<number>;
  dataset_id: number;
  version: number;
  created_at: number;
  created_by: number | null;
  num_files: number;
  size: number;
  /** Over the sorted list of paths and hashes: equal trees have equal sums. */
  sha256: string;
  /** JSON: class → number of files. */
  classes: string;
  /** JSON: entries left out, with the reason. */
  skipped: string;
  /** Of texts. */
  num_rows: number | null;
  /** JSON list: of tables of texts. */
  columns: string;
  /** JSON: ending → number of files; null for versions from before this column until somebody asks. */
  file_types: string | null;
};

export type DatasetFilesTable = {
  version_id: number;
  path: string;
  sha256: string;
  size: number;
};

export type DatasetsTables = {
  datasets: DatasetsTable;
  dataset_versions: DatasetVersionsTable;
  dataset_files: DatasetFilesTable;
};
export type DatasetRow = Selectable<DatasetsTable>;
export type DatasetVersionRow = Selectable<DatasetVersionsTable>;
