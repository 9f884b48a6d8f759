// Reads a recipe's JSON Schema into the fields of a form. Pure.
import { type FieldMeta, type Recipe, SECTIONS, type Section } from "@spotter/contract";

export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };
export type Config = { [key: string]: Value };

export type Control = "choice" | "switch" | "integer" | "number" | "text" | "source";

export interface FormField {
  key: string;
  section: Section;
  title: { en: string; zh: string };
  help: { en: string; zh: string };
  unit: string | null;
  isAdvanced: boolean;
  control: Control;
  options: string[];
  isNullable: boolean;
  defaultValue: Value;
  minimum: number | null;
  maximum: number | null;
  /** The bound itself is not allowed. */
  isMinimumOpen: boolean;
  isMaximumOpen: boolean;
}

type Schema = { [key: string]: unknown };

/** The fields in the order of the schema, which is the order that its author thought of. */
export function fieldsOf(recipe: Recipe): FormField[] {
  const properties = (recipe.config_schema.properties ?? {}) as { [key: string]: Schema };
  return Object.entries(properties).map(([key, schema]) => fieldOf(key, schema));
}

export function defaultsOf(fields: readonly FormField[]): Config {
  return Object.fromEntries(fields.map((field) => [field.key, field.defaultValue]));
}

/** Sections that have fields, in the contract's order. */
export function sectionsOf(
  fields: readonly FormField[],
): { section: Section; fields: FormField[] }[] {
  return SECTIONS.map((section) => ({
    section,
    fields: fields.filter((field) => field.section === section),
  })).filter((group) => group.fields.length > 0);
}

/** Whether a field is found by what was typed, in either language. */
export function isFound(field: FormField, query: string): boolean {
  const wanted = query.trim().toLowerCase();
  const words = [field.key, field.title.en, field.title.zh, field.help.en, field.help.zh];
  return wanted === "" || words.some((text) => text.toLowerCase().includes(wanted));
}

function fieldOf(key: string, schema: Schema): FormField {
  const meta = schema as unknown as Partial<FieldMeta>;
  const choices = (schema.anyOf ?? []) as Schema[];
  const isNullable = choices.some((choice) => choice.type === "null");
  const inner = isNullable ? (choices.find((choice) => choice.type !== "null") ?? schema) : schema;
  return {
    key,
    section: meta.section ?? "resources",
    title: { en: meta.title ?? key, zh: meta.title_zh ?? meta.title ?? key },
    help: {
      en: meta.description ?? "",
      zh: meta.description_zh ?? meta.description ?? "",
    },
    unit: meta.unit ?? null,
    isAdvanced: meta.advanced === true,
    control: controlOf(inner),
    options: (inner.enum as string[] | undefined) ?? [],
    isNullable,
    defaultValue: (schema.default as Value | undefined) ?? null,
    minimum: numberOf(inner.minimum) ?? numberOf(inner.exclusiveMinimum),
    maximum: numberOf(inner.maximum) ?? numberOf(inner.exclusiveMaximum),
    isMinimumOpen: inner.exclusiveMinimum !== undefined,
    isMaximumOpen: inner.exclusiveMaximum !== undefined,
  };
}

function controlOf(schema: Schema): Control {
  const choices = (schema.anyOf ?? []) as { properties?: Schema }[];
  if (choices.some((choice) => choice.properties?.builtin !== undefined)) return "source";
  if (Array.isArray(schema.enum)) return "choice";
  if (schema.type === "boolean") return "switch";
  if (schema.type === "integer") return "integer";
  if (schema.type === "number") return "number";
  return "text";
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
