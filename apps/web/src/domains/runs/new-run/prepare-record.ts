// Named texts between the rows that people edit and the object that the config holds. Pure.
import type { Value } from "./prepare-fields.ts";

export interface Entry {
  name: string;
  text: string;
}

export function entriesOf(value: Value): Entry[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).map(([name, text]) => ({ name, text: String(text) }));
}

/** A row without a name is not kept yet; of two with one name the later counts. */
export function recordOf(entries: readonly Entry[], isNullable: boolean): Value {
  const named = entries.filter((entry) => entry.name.trim() !== "");
  if (named.length === 0 && isNullable) return null;
  return Object.fromEntries(named.map((entry) => [entry.name.trim(), entry.text]));
}
