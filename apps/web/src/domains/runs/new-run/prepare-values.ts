// What a config's values, a recipe's schema and a problem with a value are made of.

export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };
export type Config = { [key: string]: Value };
export type Schema = { [key: string]: unknown };

/** What is wrong with a value: a key of the words and what it speaks of. */
export interface Problem {
  key: string;
  values: Record<string, string | number>;
}
