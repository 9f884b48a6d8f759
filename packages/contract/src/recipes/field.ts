// How a recipe's field carries what the form and the docs need: section, label and help in both languages, unit.
import type { z } from "zod";

export const SECTIONS = [
  "data",
  "model",
  "optimizer",
  "schedule",
  "regularization",
  "learning",
  "checkpoints",
  "resources",
] as const;
export type Section = (typeof SECTIONS)[number];

/** Rides on each property of the recipe's JSON Schema under these names. */
export interface FieldMeta {
  section: Section;
  title: string;
  title_zh: string;
  description: string;
  description_zh: string;
  unit?: string;
  advanced?: boolean;
}

/** Attaches a field's words to its schema. */
export function field<S extends z.ZodType>(
  schema: S,
  section: Section,
  title: string,
  titleZh: string,
  help: string,
  helpZh: string,
  extra: { unit?: string; advanced?: boolean } = {},
): S {
  const meta: FieldMeta = {
    section,
    title,
    title_zh: titleZh,
    description: help,
    description_zh: helpZh,
    ...extra,
  };
  return schema.meta({ ...meta }) as S;
}
