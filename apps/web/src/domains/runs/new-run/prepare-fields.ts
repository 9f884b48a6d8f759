// Reads a recipe's JSON Schema into the fields of a form. Pure.
import { type FieldMeta, type Recipe, SECTIONS, type Section } from "@spotter/contract";
import { type SourceSpec, sourceSpecOf } from "./prepare-sources.ts";
import type { Config, Schema, Value } from "./prepare-values.ts";

export type { Config, Value };

/** `json` is for whatever has no control of its own: nothing in a schema is left out of the form. */
export type Control =
  | "choice"
  | "switch"
  | "integer"
  | "number"
  | "text"
  | "source"
  | "list"
  | "record"
  | "json";

export interface FormField {
  key: string;
  section: Section;
  title: { en: string; zh: string };
  help: { en: string; zh: string };
  unit: string | null;
  isAdvanced: boolean;
  control: Control;
  /** What a choice chooses from; for a list, what its entries choose from, where that is closed. */
  options: string[];
  /** Of a list: its entries are whole numbers, not texts. */
  holdsNumbers: boolean;
  /** Which sources the schema allows; null for every other control. */
  source: SourceSpec | null;
  isNullable: boolean;
  defaultValue: Value;
  minimum: number | null;
  maximum: number | null;
  /** The bound itself is not allowed. */
  isMinimumOpen: boolean;
  isMaximumOpen: boolean;
  /** Of a text: shortest and longest, and what it must look like. */
  minLength: number;
  maxLength: number | null;
  pattern: string | null;
}

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
  const { inner, isNullable } = withoutNull(schema);
  const control = controlOf(inner);
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
    control,
    options: optionsOf(control === "list" ? ((inner.items as Schema | undefined) ?? {}) : inner),
    holdsNumbers: control === "list" && (inner.items as Schema).type === "integer",
    source: control === "source" ? sourceSpecOf(inner) : null,
    isNullable,
    defaultValue: (schema.default as Value | undefined) ?? null,
    minimum: numberOf(inner.minimum) ?? numberOf(inner.exclusiveMinimum),
    maximum: numberOf(inner.maximum) ?? numberOf(inner.exclusiveMaximum),
    isMinimumOpen: inner.exclusiveMinimum !== undefined,
    isMaximumOpen: inner.exclusiveMaximum !== undefined,
    minLength: numberOf(inner.minLength) ?? 0,
    maxLength: numberOf(inner.maxLength),
    pattern: typeof inner.pattern === "string" ? inner.pattern : null,
  };
}

/** A nullable schema is a choice between null and another, or between null and several others. */
function withoutNull(schema: Schema): { inner: Schema; isNullable: boolean } {
  const choices = (schema.anyOf ?? []) as Schema[];
  const others = choices.filter((choice) => choice.type !== "null");
  const isNullable = others.length < choices.length;
  const only = others[0];
  if (!isNullable || only === undefined) return { inner: schema, isNullable };
  return { inner: others.length === 1 ? only : { anyOf: others }, isNullable };
}

function controlOf(schema: Schema): Control {
  if (sourceSpecOf(schema) !== null) return "source";
  if (Array.isArray(schema.enum)) return "choice";
  if (schema.type === "boolean") return "switch";
  if (schema.type === "integer") return "integer";
  if (schema.type === "number") return "number";
  if (schema.type === "string") return "text";
  if (schema.type === "array" && (isText(schema.items) || isWhole(schema.items))) return "list";
  if (schema.type === "object" && isText(schema.additionalProperties)) return "record";
  return "json";
}

function optionsOf(schema: Schema): string[] {
  return Array.isArray(schema.enum) ? schema.enum.map(String) : [];
}

function isText(schema: unknown): boolean {
  return (schema as Schema | undefined)?.type === "string";
}

function isWhole(schema: unknown): boolean {
  return (schema as Schema | undefined)?.type === "integer";
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
