// What a recipe needs of its data, as far as names of files, columns and classes can tell before anything is queued.
// Whoever knows no more than that says nothing here: rows and pixels are the worker's to judge.
import type { DatasetKind, DatasetVersion } from "../datasets.ts";
import type { RecipeName } from "./recipes.ts";

/** What was seen of a dataset version, or of a path on the server. */
export interface DataHeld {
  /** What a person knows it by: `reviews v1`, or a path's last part. */
  readonly name: string;
  /** A path may name one file. */
  readonly isFile: boolean;
  /** How many files have which ending: small letters, with the dot. */
  readonly types: Readonly<Record<string, number>>;
  /** Files of rows, in the order of their paths; `columns` are the first row's, null where they were not read. */
  readonly tables: readonly DataTable[];
  /** Class → its files of the recipe's kind; null where no folder stands for a class, or nobody looked. */
  readonly classes: Readonly<Record<string, number>> | null;
}

export interface DataTable {
  /** In the data, with slashes. */
  readonly file: string;
  readonly columns: readonly string[] | null;
}

type Config = Readonly<Record<string, unknown>>;

export const QUESTIONS_NAME = "questions.jsonl";
/** Endings of files with rows and columns. */
export const TABLE_TYPES = [".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet"] as const;
const CLASSIFY_TYPES = [".csv", ".tsv", ".jsonl", ".ndjson"];
/** The second ones are read only where the first are missing. */
const LM_TYPES = [
  [".txt", ".jsonl"],
  [".md", ".ndjson"],
] as const;
const PROMPTS = ["instruction", "prompt"];
const ANSWERS = ["output", "completion", "response"];
const QUESTION_COLUMNS = ["image", "question", "answer"];
/** More kinds of files than these tell nobody more. */
const MAX_TYPES_NAMED = 6;

/** Which files stand for the examples where folders are classes; null where they never are. */
export const CLASS_FILE_TYPES: Readonly<Partial<Record<RecipeName, readonly string[]>>> = {
  vision: [".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"],
  audio: [".wav", ".wave", ".flac"],
  "text-classify": [".txt"],
};

/** What data cannot be for this recipe, as a sentence that names it, what it has and what is needed; null: it may do. */
export function dataProblem(recipe: RecipeName, config: Config, held: DataHeld): string | null {
  switch (recipe) {
    case "text-lm":
      return languageProblem(config, held);
    case "text-classify":
      return classifyProblem(config, held);
    case "text-finetune":
      return finetuneProblem(config, held);
    case "concept":
      return questionsProblem(held);
    case "vision":
    case "audio":
      return foldersProblem(recipe, held);
    default:
      return null;
  }
}

/** An uploaded version as its own facts tell it, without a look at its files. */
export function heldByVersion(
  name: string,
  version: Pick<DatasetVersion, "version" | "file_types" | "columns" | "classes">,
): DataHeld {
  const { columns, classes, file_types: types } = version;
  const kinds = TABLE_TYPES.filter((type) => type in types);
  return {
    ...{ name: `${name} v${version.version}`, isFile: false, types, classes },
    // Of all files together: what one of several lacks is found when its rows are looked at.
    tables: columns.length === 0 ? [] : kinds.map((type) => ({ file: `*${type}`, columns })),
  };
}

/** The kind of dataset that recipes speak of, for sentences. */
export const DATASET_KIND_WORDS: Readonly<Record<DatasetKind, string>> = {
  "image-folder": "images",
  "audio-folder": "recordings",
  text: "texts",
};

/** `.csv (2), .md (1)`, the most frequent first. */
export function typesHeld({ types }: Pick<DataHeld, "types">): string {
  const sorted = Object.entries(types).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const named = sorted.slice(0, MAX_TYPES_NAMED).map(([type, count]) => `${type} (${count})`);
  if (sorted.length > named.length) named.push("…");
  return named.join(", ") || "no files";
}

function languageProblem(config: Config, held: DataHeld): string | null {
  // One file is read as it is, whatever its name.
  const wanted: readonly string[] = held.isFile
    ? Object.keys(held.types)
    : (LM_TYPES.find((types) => types.some((type) => type in held.types)) ?? []);
  if (wanted.length === 0) return wrongTypes("text-lm", held, LM_TYPES.flat().join(", "));
  const field = String(config.text_field);
  const rows = held.tables.filter(
    ({ file }) => wanted.includes(typeOf(file)) && /\.(jsonl|ndjson)$/.test(file),
  );
  return missingColumns("text-lm", held, rows, [field], ["text_field"]);
}

function classifyProblem(config: Config, held: DataHeld): string | null {
  const wanted = [String(config.text_column), String(config.label_column)];
  const tables = held.tables.filter(({ file }) => CLASSIFY_TYPES.includes(typeOf(file)));
  const top = tables.filter(({ file }) => !file.includes("/"));
  if (top.length > 0)
    return missingColumns("text-classify", held, top, wanted, ["text_column", "label_column"]);
  const classes = Object.values(held.classes ?? {}).filter((count) => count > 0);
  if (!held.isFile && ".txt" in held.types && classes.length > 1)
    return foldersProblem("text-classify", held);
  return `${held.name} holds ${typesHeld(held)}; text-classify learns from .csv, .tsv or .jsonl files with the columns ${wanted.join(", ")}, or from one folder of .txt files a class`;
}

/** As the worker finds them: by the first row of the first file; the other files must have the same. */
function finetuneProblem(config: Config, held: DataHeld): string | null {
  const kinds = TABLE_TYPES.filter((type) => type in held.types);
  if (kinds.length === 0) return wrongTypes("text-finetune", held, TABLE_TYPES.join(", "));
  const isOnlyJson = kinds.length === 1 && kinds[0] === ".json";
  const tables = held.tables.filter(({ file }) => isOnlyJson || typeOf(file) !== ".json");
  const first = tables[0]?.columns;
  if (first === undefined || first === null) return null;
  const given = (field: string) =>
    typeof config[field] === "string" ? [String(config[field])] : null;
  const prompts = given("prompt_column") ?? PROMPTS;
  const answers = given("answer_column") ?? ANSWERS;
  const choose = (names: readonly string[]) =>
    names.find((name) => first.includes(name)) ?? names[0] ?? "";
  const formats: Record<string, string[]> = {
    chat: [String(config.messages_column)],
    instruction: [choose(prompts), choose(answers)],
    text: [String(config.text_column)],
  };
  const fits = (format: string) => formats[format]?.every((name) => first.includes(name));
  const format = config.format === "auto" ? Object.keys(formats).find(fits) : String(config.format);
  if (format !== undefined && formats[format] !== undefined && fits(format))
    return missingColumns("text-finetune", held, tables, formats[format], COLUMN_FIELDS);
  const wanted = {
    ...{ chat: config.messages_column, text: config.text_column },
    instruction: `${prompts.join("/")} + ${answers.join("/")}`,
  };
  const words =
    format === undefined
      ? `${wanted.chat} | ${wanted.instruction} | ${wanted.text}`
      : String(wanted[format as keyof typeof wanted]);
  return wrongColumns("text-finetune", held, tables[0] as DataTable, words, COLUMN_FIELDS);
}
const COLUMN_FIELDS = ["messages_column", "prompt_column", "answer_column", "text_column"];

function questionsProblem(held: DataHeld): string | null {
  const named = held.tables.filter(
    ({ file }) => file === QUESTIONS_NAME || /^[^/]+\/questions\.jsonl$/.test(file),
  );
  const questions = named.find(({ file }) => file === QUESTIONS_NAME) ?? named[0];
  if (held.isFile || questions === undefined)
    return `${held.name} holds ${typesHeld(held)} and no ${QUESTIONS_NAME}; concept learns from a folder with images and ${QUESTIONS_NAME} (${QUESTION_COLUMNS.join(", ")})`;
  const { columns } = questions;
  if (columns === null || QUESTION_COLUMNS.every((name) => columns.includes(name))) return null;
  return `${questions.file} of ${held.name} has the columns ${listed(columns)}; concept needs ${QUESTION_COLUMNS.join(", ")}`;
}

/** Classes by folder: two or more, and none of them empty. */
function foldersProblem(recipe: RecipeName, held: DataHeld): string | null {
  const types = CLASS_FILE_TYPES[recipe] ?? [];
  const { classes } = held;
  if (held.isFile) return wrongTypes(recipe, held, `folders of ${types.join(", ")}`);
  if (classes === null) return null;
  if (!types.some((type) => type in held.types)) return wrongTypes(recipe, held, types.join(", "));
  const names = Object.keys(classes);
  const empty = names.find((name) => classes[name] === 0);
  if (names.length < 2)
    return `${held.name} has ${names.length} folders of classes (${listed(names)}); ${recipe} needs two or more, one for each class`;
  if (empty === undefined) return null;
  return `the class ${empty} of ${held.name} has no ${types.join(", ")} file; fill its folder, or take it away`;
}

function missingColumns(
  recipe: RecipeName,
  held: DataHeld,
  tables: readonly DataTable[],
  wanted: readonly string[],
  fields: readonly string[],
): string | null {
  const wrong = tables.find(
    ({ columns }) => columns !== null && !wanted.every((name) => columns.includes(name)),
  );
  return wrong === undefined ? null : wrongColumns(recipe, held, wrong, wanted.join(", "), fields);
}

function wrongTypes(recipe: RecipeName, held: DataHeld, wanted: string): string {
  return `${held.name} holds ${typesHeld(held)}; ${recipe} learns from ${wanted}`;
}

function wrongColumns(
  recipe: RecipeName,
  { name, isFile }: DataHeld,
  { file, columns }: DataTable,
  wanted: string,
  fields: readonly string[],
): string {
  const whose = isFile ? name : `${file} of ${name}`;
  return `${whose} has the columns ${listed(columns ?? [])}; ${recipe} needs ${wanted}: rename them, or name yours in ${fields.join(", ")}`;
}

const MAX_NAMED = 12;
function listed(names: readonly string[]): string {
  const more = names.length > MAX_NAMED ? ", …" : "";
  return names.slice(0, MAX_NAMED).join(", ") + more || "–";
}

/** Ending → number of files; a name without an ending stands for itself. */
export function countFileTypes(files: readonly string[]): Record<string, number> {
  const types = new Map<string, number>();
  for (const file of files) {
    const type = typeOf(file) || (file.split("/").at(-1) ?? file);
    types.set(type, (types.get(type) ?? 0) + 1);
  }
  return Object.fromEntries(types);
}

/** Small letters, with the dot; empty for a name without one. */
export function typeOf(file: string): string {
  return /[^/](\.[^./]+)$/.exec(file)?.[1]?.toLowerCase() ?? "";
}

/** Names that a subset asks for and the data does not have; null where all are there. */
export function subsetProblem(
  subset: unknown,
  name: string,
  classes: readonly string[],
): string | null {
  const unknown = (Array.isArray(subset) ? subset.map(String) : []).filter(
    (one) => !classes.includes(one),
  );
  if (unknown.length === 0) return null;
  return `names ${listed(unknown)}, and ${name} has no such class; it has ${listed(classes)}`;
}

/** Classes of the data that comes with every worker, where it has classes. */
export const BUILTIN_CLASSES: Readonly<Record<string, readonly string[]>> = {
  digits: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
};
