// Where a config's sources lie on this server's disk: each field that names data, a model or a folder, checked before
// anything is queued.
import path from "node:path";
import {
  CommandConfig,
  DATASET_KIND_WORDS,
  DataSource,
  datasetKindOf,
  ModelSource,
  modelRecipesOf,
  type RecipeName,
  recipes,
} from "@spotter/contract";
import type { DatasetService, LocatedData } from "../datasets/index.ts";
import { configInvalid } from "./errors.ts";

export interface PlaceParts {
  readonly datasets: Pick<DatasetService, "locate" | "look" | "resolvePath">;
  /** The weights folder of a registered version, and what trained it; throws when the project has none of that id. */
  readonly locateModel: (versionId: number, projectId: number) => Promise<LocatedModel>;
}

export interface LocatedModel {
  readonly folder: string;
  readonly name: string;
  readonly recipe: RecipeName;
}

export interface Located {
  /** By field: folder or file. Builtin and Hub sources have none. */
  readonly places: Record<string, string>;
  /** A short name of the data, for the run's own name. */
  readonly dataName: string;
  /** By field: the data itself, and the models that have a folder here. */
  readonly data: Readonly<Record<string, LocatedData>>;
  readonly models: Readonly<Record<string, { readonly folder: string; readonly name: string }>>;
}

/**
 * Throws `path-not-allowed`, `path-not-found`, `dataset-version-not-found`, `model-version-not-found`, and
 * `config-invalid` where a dataset or a version is there but not for this recipe.
 */
export async function locateSources(
  parts: PlaceParts,
  recipe: RecipeName,
  config: Record<string, unknown>,
  projectId: number,
): Promise<Located> {
  const places: Record<string, string> = {};
  const data: Record<string, LocatedData> = {};
  const models: Record<string, { folder: string; name: string }> = {};
  let dataName = "data";
  for (const field of recipes[recipe].data_fields) {
    const source = config[field];
    if (source === null || source === undefined) continue;
    const found = await parts.datasets.locate(DataSource.parse(source), projectId);
    requireKind(recipe, field, found);
    data[field] = found;
    if (found.folder !== null) places[field] = found.folder;
    if (field === "data") dataName = found.name;
  }
  for (const field of recipes[recipe].model_fields) {
    const source = config[field];
    if (source === null || source === undefined) continue;
    const model = ModelSource.parse(source);
    if ("model_version" in model) {
      const found = await parts.locateModel(model.model_version, projectId);
      requireFitting(recipe, field, found);
      models[field] = found;
    } else if ("path" in model) {
      const folder = await parts.datasets.resolvePath(model.path);
      models[field] = { folder, name: path.basename(folder) };
    }
    if (models[field] !== undefined) places[field] = models[field].folder;
  }
  const entry = recipes[recipe];
  const folderFields: readonly string[] = "folder_fields" in entry ? entry.folder_fields : [];
  for (const field of folderFields) {
    const folder = config[field];
    if (typeof folder === "string") places[field] = await parts.datasets.resolvePath(folder);
  }
  const name = recipe === "command" ? programName(config) : dataName;
  return { places, dataName: name, data, models };
}

function requireKind(recipe: RecipeName, field: string, { kind, title }: LocatedData): void {
  const wanted = datasetKindOf(recipe);
  if (kind === null || wanted === null || kind === wanted) return;
  const message = `the dataset ${title} holds ${DATASET_KIND_WORDS[kind]}; ${recipe} learns from ${DATASET_KIND_WORDS[wanted]}`;
  throw configInvalid([{ path: `config.${field}`, message }]);
}

function requireFitting(recipe: RecipeName, field: string, model: LocatedModel): void {
  const allowed = modelRecipesOf(recipe);
  if (allowed.includes(model.recipe)) return;
  const message = `${model.name} was trained by ${model.recipe}; ${recipe} goes on from versions of ${allowed.join(" and ")}`;
  throw configInvalid([{ path: `config.${field}`, message }]);
}

/** What a person would call the program: `train` for `python -u jobs/train.py --lr 3`. */
function programName(config: Record<string, unknown>): string {
  const [program = "", ...words] = CommandConfig.parse(config).command;
  const script = words.find((word) => /^[^-].*\.(py|sh|js|mjs|ts|rb|jl|R|pl)$/.test(word));
  return path.parse(script ?? program).name.slice(0, 60) || "program";
}
