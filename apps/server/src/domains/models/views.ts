// Turns the models room's rows into the contract's shapes.
import path from "node:path";
import type { ModelVersion, StageChange } from "@spotter/contract";
import type { StageChangeRow, VersionRow } from "./tables.ts";

export function toVersion(row: VersionRow): ModelVersion {
  return {
    id: row.id,
    model_id: row.model_id,
    project_id: row.project_id,
    name: row.name,
    version: row.version,
    run_id: row.run_id,
    run_name: row.run_name,
    recipe: row.recipe,
    metrics: JSON.parse(row.metrics),
    config: JSON.parse(row.config),
    config_changes: row.config_changes === null ? null : JSON.parse(row.config_changes),
    data: JSON.parse(row.data),
    parent: parentOf(row),
    code_revision: row.code === null ? null : JSON.parse(row.code),
    weights: {
      path: path.posix.basename(row.weights_path),
      size: row.weights_size,
      sha256: row.weights_sha256,
    },
    format: "safetensors",
    storage: row.storage,
    classes: JSON.parse(row.classes),
    num_parameters: row.num_parameters,
    latency_ms: row.latency_ms,
    note: row.note,
    tags: JSON.parse(row.tags),
    stage: row.stage,
    created_at: row.created_at,
    created_by: row.created_by,
    created_by_name: row.created_by_name,
    deleted_at: row.deleted_at,
  };
}

/** A parent that was purged has no number any more. */
function parentOf(row: VersionRow): ModelVersion["parent"] {
  const {
    parent_id: id,
    parent_model_id: modelId,
    parent_name: name,
    parent_version: version,
  } = row;
  if (id === null || modelId === null || name === null || version === null) return null;
  return { id, model_id: modelId, name, version };
}

export function toStageChange(row: StageChangeRow & { version: number }): StageChange {
  return {
    id: row.id,
    version_id: row.version_id,
    version: row.version,
    from: row.stage_from,
    to: row.stage_to,
    is_rollback: row.is_rollback === 1,
    changed_at: row.changed_at,
    changed_by: row.changed_by,
    changed_by_name: row.changed_by_name,
    reason: row.reason,
  };
}
