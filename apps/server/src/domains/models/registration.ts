// Makes a version out of a run: what is known of its weights, as statements that run inside the transaction of the
// worker's last batch, or on demand. Repeating them changes nothing.
import {
  type CodeRevision,
  type ConfigChange,
  DataSource,
  decodeMetricValue,
  type MetricValue,
  ModelSource,
  type RecipeName,
  recipes,
} from "@spotter/contract";
import type { Statement } from "../../platform/db/database.ts";
import type { StatementMaker } from "../../platform/db/statement.ts";

/** A run's saved weights, and whatever says where they come from. */
export interface Weights {
  readonly runId: number;
  readonly runName: string;
  readonly projectId: number;
  readonly recipe: RecipeName;
  /** What the run began with, and what people have changed since. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly configChanges: readonly ConfigChange[];
  readonly dataName: string | null;
  readonly metrics: Readonly<Record<string, MetricValue>>;
  readonly classes: readonly string[];
  readonly numParameters: number | null;
  /** As the worker tells it: a revision, with `-dirty` behind it where the folder had changes. */
  readonly code: string | null;
  /** Relative to the run's folder. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** What people say about the version. */
export interface Wish {
  /** The model's name. */
  readonly name: string;
  readonly note: string;
  readonly tags: readonly string[];
  readonly createdBy: number | null;
  readonly createdByName: string | null;
  readonly createdAt: number;
}

/** A table of versions shows a few metrics; more than these of one run are not searched by. */
const MAX_METRICS = 200;
const OF_MODEL = `m.project_id = ? AND m.name_key = ?`;
const OF_WEIGHTS = `v.model_id = m.id AND v.run_id = ? AND v.weights_sha256 = ?`;

export function registrationStatements(
  statement: StatementMaker,
  weights: Weights,
  wish: Wish,
): Statement[] {
  const model = [weights.projectId, wish.name.toLowerCase()];
  const key = [weights.runId, weights.sha256];
  return [
    statement(
      `INSERT INTO models (project_id, name, name_key, last_version, created_at)
       VALUES (?, ?, ?, 0, ?) ON CONFLICT (project_id, name_key) DO NOTHING`,
      [weights.projectId, wish.name, wish.name.toLowerCase(), wish.createdAt],
    ),
    statement(
      `UPDATE models AS m SET last_version = last_version + 1 WHERE ${OF_MODEL}
       AND NOT EXISTS (SELECT 1 FROM model_versions v WHERE ${OF_WEIGHTS})`,
      [...model, ...key],
    ),
    insertion(statement, weights, wish, [...model, ...key]),
    ...Object.entries(weights.metrics)
      .slice(0, MAX_METRICS)
      .map(([name, value]) =>
        statement(
          `INSERT INTO model_version_metrics (version_id, name, value)
           SELECT v.id, CAST(? AS text), CAST(? AS double precision)
           FROM models m JOIN model_versions v ON ${OF_WEIGHTS} WHERE ${OF_MODEL}
           ON CONFLICT (version_id, name) DO NOTHING`,
          [name, finiteOrNull(value), ...key, ...model],
        ),
      ),
  ];
}

function insertion(
  statement: StatementMaker,
  weights: Weights,
  wish: Wish,
  modelAndKey: readonly unknown[],
): Statement {
  return statement(
    `INSERT INTO model_versions (model_id, version, run_id, run_name, recipe, config, config_changes, metrics,
       data, parent_id, code, weights_path, weights_size, weights_sha256, storage, classes,
       num_parameters, note, tags, search_text, stage, created_at, created_by, created_by_name)
     SELECT m.id, m.last_version, CAST(? AS bigint), CAST(? AS text), CAST(? AS text),
       CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS bigint),
       CAST(? AS text), CAST(? AS text), CAST(? AS bigint), CAST(? AS text), 'storing', CAST(? AS text),
       CAST(? AS bigint), CAST(? AS text), CAST(? AS text), CAST(? AS text), 'none',
       CAST(? AS double precision), CAST(? AS bigint), CAST(? AS text)
     FROM models m WHERE ${OF_MODEL}
     AND NOT EXISTS (SELECT 1 FROM model_versions v WHERE ${OF_WEIGHTS})
     ON CONFLICT DO NOTHING`,
    [
      weights.runId,
      weights.runName,
      weights.recipe,
      JSON.stringify(weights.config),
      JSON.stringify(weights.configChanges),
      JSON.stringify(weights.metrics),
      JSON.stringify(dataOf(weights)),
      parentOf(weights.recipe, weights.config),
      JSON.stringify(revisionOf(weights.code)),
      weights.path,
      weights.size,
      weights.sha256,
      JSON.stringify(weights.classes),
      weights.numParameters,
      wish.note,
      JSON.stringify(wish.tags),
      searchText(wish.note, wish.tags),
      wish.createdAt,
      wish.createdBy,
      wish.createdByName,
      ...modelAndKey,
    ],
  );
}

/** What a search for text looks in, besides the model's name. */
export function searchText(note: string, tags: readonly string[]): string {
  return [note, ...tags].join("\n").toLowerCase();
}

/** The version that training began from; a Hub model or a path is none of ours. */
export function parentOf(
  recipe: RecipeName,
  config: Readonly<Record<string, unknown>>,
): number | null {
  // The first: a teacher is learnt from, but nothing begins with it.
  const field: string | undefined = recipes[recipe].model_fields[0];
  const source = ModelSource.safeParse(field === undefined ? null : config[field]);
  return source.success && "model_version" in source.data ? source.data.model_version : null;
}

export function revisionOf(code: string | null): CodeRevision | null {
  if (code === null) return null;
  const dirty = code.endsWith("-dirty");
  return { revision: dirty ? code.slice(0, -"-dirty".length) : code, dirty };
}

function dataOf({ config, dataName }: Weights): { source: DataSource | null; name: string } {
  const source = DataSource.safeParse(config.data);
  return { source: source.success ? source.data : null, name: dataName ?? "" };
}

function finiteOrNull(value: MetricValue): number | null {
  const decoded = decodeMetricValue(value);
  return Number.isNaN(decoded) ? null : decoded;
}
