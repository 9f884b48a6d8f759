// Models and their versions as data: weights that were kept and named, with all that says where they come from.
import { z } from "zod";
import { RecipeName } from "./recipes/recipes.ts";
import { ConfigChange } from "./runs.ts";
import {
  BooleanText,
  Id,
  IdText,
  JsonObject,
  limitText,
  MetricName,
  MetricValue,
  Sha256,
  Tag,
  Title,
  UnixTime,
} from "./scalars.ts";
import { DataSource } from "./sources.ts";

/** At most one version of a model is in production; the one before it is archived when the next one comes. */
export const ModelStage = z.enum(["none", "staging", "production", "archived"]);
export type ModelStage = z.infer<typeof ModelStage>;

/** `storing`: the run folder still has the only copy; `stored`: kept apart from the run; `missing`: gone before that. */
export const ModelStorage = z.enum(["storing", "stored", "missing"]);
export type ModelStorage = z.infer<typeof ModelStorage>;

/** Which code trained it: a git revision, and whether the folder had changes that no revision holds. */
export const CodeRevision = z.object({ revision: z.string(), dirty: z.boolean() });
export type CodeRevision = z.infer<typeof CodeRevision>;

export const ModelVersion = z.object({
  id: Id,
  model_id: Id,
  project_id: Id,
  /** The model's name. */
  name: z.string(),
  /** Rises by one with each version of the model. */
  version: z.number().int().positive(),
  run_id: Id,
  run_name: z.string(),
  recipe: RecipeName,
  /** Measured with these weights, `test/accuracy` among them. */
  metrics: z.record(MetricName, MetricValue),
  /** What its run began with. */
  config: JsonObject,
  /** 2026-11-21: what people changed while it trained; null: the version is older than this record. */
  config_changes: z.array(ConfigChange).nullable().default(null),
  /** What it was trained on: the config's source, and its name at that time. */
  data: z.object({ source: DataSource.nullable(), name: z.string() }),
  /** The version that training began from. */
  parent: z
    .object({ id: Id, model_id: Id, name: z.string(), version: z.number().int().positive() })
    .nullable(),
  code_revision: CodeRevision.nullable(),
  weights: z.object({
    /** Inside the version's folder. */
    path: z.string(),
    size: z.number().int(),
    sha256: Sha256,
  }),
  format: z.string(),
  storage: ModelStorage,
  classes: z.array(z.string()),
  num_parameters: z.number().int().nullable(),
  /** Of one input, as the last prediction measured it. */
  latency_ms: z.number().nullable(),
  note: z.string(),
  tags: z.array(z.string()),
  stage: ModelStage,
  created_at: UnixTime,
  created_by: Id.nullable(),
  created_by_name: z.string().nullable(),
  deleted_at: UnixTime.nullable(),
});
export type ModelVersion = z.infer<typeof ModelVersion>;

export const ModelFile = z.object({
  path: z.string(),
  size: z.number().int(),
  sha256: Sha256,
});
export type ModelFile = z.infer<typeof ModelFile>;

/** One version, whole: what its folder holds, and the versions that were trained from it. */
export const ModelVersionDetail = ModelVersion.extend({
  files: z.array(ModelFile),
  children: z.array(
    z.object({
      id: Id,
      model_id: Id,
      name: z.string(),
      version: z.number().int().positive(),
      run_id: Id,
    }),
  ),
});
export type ModelVersionDetail = z.infer<typeof ModelVersionDetail>;

export const Model = z.object({
  id: Id,
  project_id: Id,
  name: z.string(),
  created_at: UnixTime,
  /** Of versions that are not deleted. */
  num_versions: z.number().int(),
  latest: ModelVersion.nullable(),
  production: ModelVersion.nullable(),
});
export type Model = z.infer<typeof Model>;

/** One line of a model's history of stages. */
export const StageChange = z.object({
  id: Id,
  version_id: Id,
  version: z.number().int().positive(),
  from: ModelStage,
  to: ModelStage,
  /** Whether production went back to an earlier version. */
  is_rollback: z.boolean(),
  changed_at: UnixTime,
  changed_by: Id.nullable(),
  changed_by_name: z.string().nullable(),
  /** Why, in the person's words; empty when none were given. */
  reason: z.string(),
});
export type StageChange = z.infer<typeof StageChange>;

/** One model with its history of stages, newest first, and the version that a roll back would bring. */
export const ModelDetail = Model.extend({
  stage_changes: z.array(StageChange),
  rollback_to: z.object({ id: Id, version: z.number().int().positive() }).nullable(),
});
export type ModelDetail = z.infer<typeof ModelDetail>;

const Bound = z
  .string()
  .max(40)
  .refine((text) => text.trim() !== "" && Number.isFinite(Number(text)), "must be a number");

const RecipeNames = z
  .string()
  .max(200)
  .refine((text) => text.split(",").every((name) => RecipeName.safeParse(name).success), {
    message: `must be one of ${RecipeName.options.join(", ")}, or several with commas`,
  });

export const ModelVersionSort = z
  .string()
  .regex(/^(id|latency_ms|size|metric:.{1,250})$/, "must be id, latency_ms, size or metric:<name>");

/** Filters of versions; `min` and `max` bound `metric`, and leave out versions that lack it or have NaN there. */
export const ListModelVersionsQuery = z.object({
  project_id: IdText.optional(),
  run_id: IdText.optional(),
  /** The number that a version has in its model. */
  version: IdText.optional(),
  /** One recipe, or several with commas between them. */
  recipe: RecipeNames.optional(),
  metric: MetricName.optional(),
  min: Bound.optional(),
  max: Bound.optional(),
  tag: Tag.optional(),
  stage: ModelStage.optional(),
  /** Text in the model's name, note or tags. */
  q: z.string().max(200).optional(),
  deleted: BooleanText.default("false"),
  sort: ModelVersionSort.default("id"),
  direction: z.enum(["asc", "desc"]).default("desc"),
  limit: limitText(100, 500),
  /** The first so many are left out. */
  offset: z
    .string()
    .regex(/^[0-9]{1,9}$/, "must be a whole number")
    .default("0"),
});
export const ModelVersionPage = z.object({
  versions: z.array(ModelVersion),
  total: z.number().int(),
});
export type ModelVersionPage = z.infer<typeof ModelVersionPage>;

/** Registers the saved weights of a run that has ended; done for every finished run by itself. */
export const RegisterModelVersion = z
  .object({
    run_id: Id,
    /** The model's name; by default the one that the run was given, else recipe and data. */
    name: Title.optional(),
    note: z.string().max(10_000).optional(),
    tags: z.array(Tag).max(20).optional(),
  })
  .strict();

export const UpdateModelVersion = z
  .object({
    note: z.string().max(10_000).optional(),
    tags: z.array(Tag).max(20).optional(),
    stage: ModelStage.optional(),
    /** Why the stage changes; kept in the model's history. */
    reason: z.string().max(1_000).optional(),
  })
  .strict();

export const RollBackModel = UpdateModelVersion.pick({ reason: true });

export const ModelParams = z.object({ model_id: IdText });
export const ModelVersionParams = z.object({ version_id: IdText });
