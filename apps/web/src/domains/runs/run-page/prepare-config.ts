// Flattens a run's config into rows: `optimizer.lr` → its value, and why it is what it is where it was derived.
import { MISSING } from "../../../platform/format/index.ts";

export interface ConfigRow {
  key: string;
  value: string;
  /** Why a derived value is what it is. */
  reason: string | null;
}

/** One row a leaf, in the config's own order; derived values that the config lacks come last. */
export function configRows(
  config: Readonly<Record<string, unknown>>,
  derived: Readonly<Record<string, string>>,
  wordOfNull: (key: string) => string,
): ConfigRow[] {
  const rows = leaves(config, "").map(([key, value]) => ({
    key,
    // Of what nobody chose, the reason beside it says what came of that.
    value: value === null ? (key in derived ? MISSING : wordOfNull(key)) : writeValue(value),
    reason: derived[key] ?? null,
  }));
  const known = new Set(rows.map((row) => row.key));
  for (const [key, reason] of Object.entries(derived))
    if (!known.has(key)) rows.push({ key, value: "", reason });
  return rows;
}

function leaves(value: unknown, prefix: string): [string, unknown][] {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [[prefix, value]];
  const entries = Object.entries(value);
  if (entries.length === 0) return prefix === "" ? [] : [[prefix, value]];
  return entries.flatMap(([key, inner]) => leaves(inner, prefix === "" ? key : `${prefix}.${key}`));
}

function writeValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
