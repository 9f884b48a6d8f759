// Flattens a run's config into rows: `optimizer.lr` → its value, and why it is what it is where it was derived.
import { MISSING } from "../../../platform/format/index.ts";
import { wordOfNull } from "../new-run/prepare-config.ts";

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
  say: (word: string) => string,
): ConfigRow[] {
  const rows = leaves(config, "").map(([key, value]) => ({
    key,
    value: value === null ? sayNull(key, derived, say) : writeValue(value),
    reason: derived[key] ?? null,
  }));
  const known = new Set(rows.map((row) => row.key));
  for (const [key, reason] of Object.entries(derived))
    if (!known.has(key)) rows.push({ key, value: "", reason });
  return rows;
}

/** Of what nobody chose, the reason beside it says what came of that. */
function sayNull(
  key: string,
  derived: Readonly<Record<string, string>>,
  say: (word: string) => string,
): string {
  const word = wordOfNull(key);
  return key in derived || word === "newRun.none" ? MISSING : say(word);
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
