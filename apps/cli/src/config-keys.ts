// Looks, before anything is sent, whether the keys inside a config's objects are those that the recipe knows: a source of
// data has a few forms, and the server can only say that none of them fits.
import { nearestName, type RecipeName, recipes } from "@spotter/contract";
import { z } from "zod";
import { UsageProblem } from "./exit-codes.ts";

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly type?: string;
}

/** @throws UsageProblem that names the key, and those that there are with their choices */
export function checkKeys(recipe: RecipeName, config: Readonly<Record<string, unknown>>): void {
  const schema = z.toJSONSchema(recipes[recipe].config, { io: "input" }) as Schema;
  for (const [field, value] of Object.entries(config)) {
    const inner = schema.properties?.[field];
    if (inner === undefined || typeof value !== "object" || value === null) continue;
    const known = Object.assign({}, ...formsOf(inner).map(({ properties }) => properties));
    const wrong = Object.keys(value).find((key) => !(key in known));
    if (wrong === undefined || Object.keys(known).length === 0) continue;
    const choices = Object.entries<Schema>(known).map(
      ([key, choice]) => `${field}.${key}=${choicesOf(choice)}`,
    );
    const meant = nearestName(wrong, Object.keys(known));
    const hint = meant === null ? "" : ` Did you mean ${field}.${meant}?`;
    throw new UsageProblem(
      `There is no ${field}.${wrong}; there is: ${choices.join(", ")}.${hint}`,
    );
  }
}

function formsOf(schema: Schema): readonly Schema[] {
  return schema.anyOf?.flatMap(formsOf) ?? [schema];
}

function choicesOf(schema: Schema): string {
  if (schema.const !== undefined) return String(schema.const);
  return schema.enum?.join("|") ?? `<${schema.type ?? "value"}>`;
}
