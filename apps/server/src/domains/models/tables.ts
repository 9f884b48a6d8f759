// The rows of the models room's tables as Kysely sees them.
import type { ModelStage, ModelStorage, RecipeName } from "@spotter/contract";
import type { Generated, Selectable } from "kysely";

export type ModelsTable = {
  id: Generated<number>;
  project_id: number;
  name: string;
  /** Lower case: `Digits` and `digits` are one model. */
  name_key: string;
  last_version: number;
  created_at: number;
};

export type ModelVersionsTable = {
  id: Generated<number>;
  model_id: number;
  version: number;
  run_id: number;
  run_name: string;
  recipe: RecipeName;
  config: string;
  /** JSON of ConfigChange[]; null for versions of before 2026-11-21. */
  config_changes: Generated<string | null>;
  /** JSON as on the wire; `model_version_metrics` has the same to search by. */
  metrics: string;
  /** JSON: source and name. */
  data: string;
  parent_id: number | null;
  /** JSON: revision and dirty. */
  code: string | null;
  /** Relative to the run's folder. */
  weights_path: string;
  weights_size: number;
  weights_sha256: string;
  storage: ModelStorage;
  /** JSON list. */
  classes: string;
  num_parameters: number | null;
  latency_ms: number | null;
  note: string;
  /** JSON list. */
  tags: string;
  /** Note and tags in lower case, to search in. */
  search_text: string;
  stage: ModelStage;
  created_at: number;
  created_by: number | null;
  created_by_name: string | null;
  deleted_at: number | null;
};

export type ModelVersionMetricsTable = {
  version_id: number;
  name: string;
  /** Null stands for NaN. */
  value: number | null;
};

export type ModelVersionFilesTable = {
  version_id: number;
  path: string;
  sha256: string;
  size: number;
};

export type ModelStageChangesTable = {
  id: Generated<number>;
  model_id: number;
  version_id: number;
  stage_from: ModelStage;
  stage_to: ModelStage;
  is_rollback: number;
  changed_at: number;
  changed_by: number | null;
  changed_by_name: string | null;
  reason: string;
};

export type ModelsTables = {
  models: ModelsTable;
  model_versions: ModelVersionsTable;
  model_version_metrics: ModelVersionMetricsTable;
  model_version_files: ModelVersionFilesTable;
  model_stage_changes: ModelStageChangesTable;
};
export type ModelRow = Selectable<ModelsTable>;
export type StageChangeRow = Selectable<ModelStageChangesTable>;
/** A version with its model's name and project, and its parent's name and number. */
export type VersionRow = Selectable<ModelVersionsTable> & {
  name: string;
  project_id: number;
  parent_model_id: number | null;
  parent_name: string | null;
  parent_version: number | null;
};
