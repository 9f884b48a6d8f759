// Configs side by side, one row a leaf: `optimizer.lr` and its value in each run. Pure.
import type { ConfigRow } from "@spotter/contract";

const SEED = /^(random_|rng_|manual_)?seed$|^random_state$/i;

interface Leaf {
  readonly key: string;
  /** What values are compared by: the text "1" and the number 1 differ. */
  readonly json: string;
  /** What people read. */
  readonly text: string;
}

/** Rows in the order in which the configs name them. */
export function configRows(configs: readonly Readonly<Record<string, unknown>>[]): ConfigRow[] {
  const maps = configs.map((config) => new Map(leavesOf(config).map((leaf) => [leaf.key, leaf])));
  const keys = new Set(maps.flatMap((map) => [...map.keys()]));
  return [...keys].map((key) => {
    const leaves = maps.map((map) => map.get(key));
    return {
      key,
      values: leaves.map((leaf) => leaf?.text ?? null),
      differs: new Set(leaves.map((leaf) => leaf?.json)).size > 1,
      is_seed: isSeedKey(key),
    };
  });
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
