// A training's config as it was given: parsed by its recipe's schema, or refused field by field.
import { contradictionsOf, fieldIssues, type RecipeName, recipes } from "@spotter/contract";
import type { JobWork } from "../queue/index.ts";
import { configInvalid } from "./errors.ts";

/** A parsed config is made of JSON alone; its type says less. */
export function asJson(config: Record<string, unknown>): JobWork["config"] {
  return config as JobWork["config"];
}

function fieldNames(recipe: RecipeName): string[] {
  return Object.keys((recipes[recipe].config as unknown as { shape: object }).shape);
}

/** Throws `config-invalid` with one line a field; unknown keys are errors, derived defaults are filled in. */
export function parseConfig(recipe: RecipeName, config: unknown): Record<string, unknown> {
  const result = recipes[recipe].config.safeParse(config);
  if (!result.success) throw configInvalid(fieldIssues(result.error, "config", fieldNames(recipe)));
  const problems = contradictionsOf(result.data);
  if (problems.length > 0)
    throw configInvalid(
      problems.map(({ path: field, message }) => ({ path: `config.${field}`, message })),
    );
  return result.data;
}
