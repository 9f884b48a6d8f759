// Configs side by side, one row a leaf: `optimizer.lr` and its value in each run. Pure.
import type { ConfigRow } from "@spotter/contract";

/** Rows of one report: each has a cell a run, and nobody reads more. */
export const MAX_CONFIG_ROWS = 1_000;
const SEED = /^(random_|rng_|manual_)?seed$|^random_state$/i;

interface Leaf {
  readonly key: string;
  /** What values are compared by: the text "1" and the number 1 differ. */
  readonly json: string;
  /** What people read. */
  readonly text: string;
}

/** Rows in the order in which the configs name them; where there are too many, those that differ before the others. */
export function configRows(configs: readonly Readonly<Record<string, unknown>>[]): {
  readonly rows: ConfigRow[];
  readonly numKeys: number;
} {
  const maps = configs.map((config) => new Map(leavesOf(config).map((leaf) => [leaf.key, leaf])));
  const keys = new Set(maps.flatMap((map) => [...map.keys()]));
  const differs = (key: string) => new Set(maps.map((map) => map.get(key)?.json)).size > 1;
  let chosen = [...keys];
  if (chosen.length > MAX_CONFIG_ROWS) {
    const differing = new Set(chosen.filter(differs));
    const same = chosen.filter((key) => !differing.has(key));
    chosen = [...differing, ...same].slice(0, MAX_CONFIG_ROWS);
  }
  const rows = chosen.map((key) => ({
    key,
    values: maps.map((map) => map.get(key)?.text ?? null),
    differs: differs(key),
    is_seed: isSeedKey(key),
  }));
  return { rows, numKeys: keys.size };
}

/** `data_seed` and `split_seed` choose data: runs that differ there were not trained on the same. */
export function isSeedKey(key: string): boolean {
  return SEED.test(key.split(".").at(-1) ?? key);
}

/** An empty object inside a config is a leaf; an empty config has none. */
export function leavesOf(config: Readonly<Record<string, unknown>>): Leaf[] {
  return Object.entries(config).flatMap(([key, value]) => below(key, value));
}

function below(key: string, value: unknown): Leaf[] {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    return [leaf(key, value)];
  const entries = Object.entries(value);
  if (entries.length === 0) return [leaf(key, value)];
  return entries.flatMap(([inner, one]) => below(`${key}.${inner}`, one));
}

function leaf(key: string, value: unknown): Leaf {
  const json = JSON.stringify(value) ?? "null";
  return { key, json, text: typeof value === "string" ? value : json };
}
