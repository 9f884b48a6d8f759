// Sources of data and models in a schema: which kinds it allows, what a kind begins with, what is wrong with one. Pure.
import type { Problem, Schema, Value } from "./prepare-values.ts";

/** In the order in which the form offers them. */
export const SOURCE_KINDS = ["builtin", "path", "dataset_version", "model_version", "hub"] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

export interface SourceSpec {
  kinds: SourceKind[];
  /** The names that the schema allows for `builtin`, and only those. */
  builtins: string[];
  /** A Hub repository may come with a revision. */
  hasRevision: boolean;
  /** What the name of a Hub repository must look like. */
  hubPattern: string | null;
}

/** Reads an object of one named source, or a choice of such; null for any other schema. */
export function sourceSpecOf(schema: Schema): SourceSpec | null {
  const objects = objectsOf(schema).map(
    (object) => (object.properties ?? {}) as { [key: string]: Schema },
  );
  if (objects.length === 0) return null;
  const found = new Map<SourceKind, { [key: string]: Schema }>();
  for (const properties of objects) {
    const kind = SOURCE_KINDS.find((name) => name in properties);
    if (kind === undefined) return null;
    found.set(kind, properties);
  }
  const builtin = found.get("builtin")?.builtin;
  const hub = found.get("hub");
  return {
    kinds: SOURCE_KINDS.filter((kind) => found.has(kind)),
    builtins: namesOf(builtin),
    hasRevision: hub?.revision !== undefined,
    hubPattern: typeof hub?.hub?.pattern === "string" ? hub.hub.pattern : null,
  };
}

/** Which kind a value is of; null where there is none yet. */
export function kindOf(value: Value | undefined): SourceKind | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return SOURCE_KINDS.find((kind) => kind in value) ?? null;
}

/** A kind that was just chosen, before anything is typed; what the default names comes back with its kind. */
export function emptySource(kind: SourceKind, spec: SourceSpec, defaultValue: Value): Value {
  if (kindOf(defaultValue) === kind) return defaultValue;
  if (kind === "builtin") return { builtin: spec.builtins[0] ?? "" };
  if (kind === "path") return { path: "" };
  if (kind === "hub") return { hub: "" };
  return { [kind]: null };
}

export function sourceProblem(spec: SourceSpec, value: Value): Problem | null {
  const kind = kindOf(value);
  if (kind === null || !spec.kinds.includes(kind)) return problem("source");
  const named = (value as { [key: string]: Value })[kind];
  if (kind === "builtin" && !spec.builtins.includes(String(named)))
    return { key: "newRun.problems.choice", values: { options: spec.builtins.join(", ") } };
  if (kind === "path" && String(named ?? "").trim() === "") return problem("path");
  if (kind === "dataset_version" && typeof named !== "number") return problem("dataset");
  if (kind === "model_version" && typeof named !== "number") return problem("model");
  if (kind === "hub" && !new RegExp(spec.hubPattern ?? ".").test(String(named ?? "")))
    return problem("hub");
  return null;
}

function problem(name: "source" | "path" | "dataset" | "model" | "hub"): Problem {
  return { key: `newRun.problems.${name}`, values: {} };
}

function objectsOf(schema: Schema): Schema[] {
  if (schema.type === "object") return [schema];
  const choices = (schema.anyOf ?? schema.oneOf ?? []) as Schema[];
  return choices.flatMap((choice) => {
    const inner = objectsOf(choice);
    return inner.length > 0 ? inner : [choice];
  });
}

function namesOf(schema: Schema | undefined): string[] {
  if (schema?.const !== undefined) return [String(schema.const)];
  return Array.isArray(schema?.enum) ? schema.enum.map(String) : [];
}
