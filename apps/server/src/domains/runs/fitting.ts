// Whether data and starting model go with a training's config, as far as that can be known before it is queued.
import { readFile } from "node:fs/promises";
import path from "node:path";
import {
  dataProblem,
  type ErrorIssue,
  type RecipeName,
  startingModelIssues,
  subsetProblem,
} from "@spotter/contract";
import type { DatasetService, LocatedData } from "../datasets/index.ts";
import { configInvalid } from "./errors.ts";
import type { Located } from "./places.ts";

type Config = Readonly<Record<string, unknown>>;

const CARD_NAME = "model.json";
/** Which field chooses among the classes of which data. */
const SUBSETS: Readonly<Record<string, string>> = {
  data: "class_subset",
  old_data: "old_class_subset",
};

/** Throws `config-invalid` with one line for each field that does not go with what the data or the model are. */
export async function requireFitting(
  datasets: Pick<DatasetService, "look">,
  recipe: RecipeName,
  config: Config,
  { data, models }: Pick<Located, "data" | "models">,
): Promise<void> {
  const issues: ErrorIssue[] = [];
  for (const [field, found] of Object.entries(data))
    issues.push(...(await dataIssues(datasets, recipe, config, field, found)));
  const start = models.init_from;
  const card = start === undefined ? null : await readCard(start.folder);
  if (start !== undefined && card !== null)
    issues.push(...startingModelIssues(recipe, config, card, start.name));
  if (issues.length === 0) return;
  throw configInvalid(
    issues.map(({ path: field, message }) => ({ path: `config.${field}`, message })),
  );
}

async function dataIssues(
  datasets: Pick<DatasetService, "look">,
  recipe: RecipeName,
  config: Config,
  field: string,
  found: LocatedData,
): Promise<ErrorIssue[]> {
  // An upload of images or recordings was read as such already: every file has its class.
  const isSorted = found.kind === "image-folder" || found.kind === "audio-folder";
  const held = isSorted && recipe !== "concept" ? null : await datasets.look(found, recipe);
  const problem = held === null ? null : dataProblem(recipe, config, held);
  if (problem !== null) return [{ path: field, message: problem }];
  const subset = SUBSETS[field];
  const classes = classesOf(config, found, held?.tables ?? [], held?.classes ?? null);
  if (subset === undefined || classes === null) return [];
  const message = subsetProblem(config[subset], found.title, classes);
  return message === null ? [] : [{ path: subset, message }];
}

/** Null where only all rows would tell. */
function classesOf(
  config: Config,
  { classes }: LocatedData,
  tables: readonly { file: string }[],
  folders: Readonly<Record<string, number>> | null,
): string[] | null {
  const counted = classes === null ? [] : Object.keys(classes);
  if (tables.length === 0) return counted.length > 0 ? counted : folders && Object.keys(folders);
  // Labels were counted under the usual name; JSON's numbers and truth values are written otherwise in Python.
  const isPlain = tables.every(({ file }) => /\.(csv|tsv)$/i.test(file));
  return isPlain && config.label_column === "label" && counted.length > 0 ? counted : null;
}

/** What a weights folder says of itself; null where it says nothing, which the worker will tell. */
async function readCard(folder: string): Promise<Config | null> {
  let text: string;
  try {
    text = await readFile(path.join(folder, CARD_NAME), "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return null;
    throw error;
  }
  try {
    const card: unknown = JSON.parse(text);
    return typeof card === "object" && card !== null ? (card as Config) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
