// Turns the contract's zod schemas into JSON Schema, each named after its export and referred to by name.
import { z } from "zod";
import * as contract from "../../packages/contract/src/index.ts";

export type Io = "input" | "output";
export interface JsonSchema {
  [keyword: string]: unknown;
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  description?: string;
}

/** Every exported schema by name. */
export const namedSchemas: ReadonlyMap<string, z.ZodType> = collectNamed();

/** One schema; what it refers to by name lies in `$defs` beside it. */
export function toJsonSchema(schema: z.ZodType, io: Io): JsonSchema {
  const converted = z.toJSONSchema(schema, { io }) as JsonSchema;
  delete converted.$schema;
  return withJsonNamed(withoutIds(converted));
}

/** All named schemas of one direction, each referring to the others as `<prefix><name>`. */
export function allNamed(io: Io): Map<string, JsonSchema> {
  const all = new Map<string, JsonSchema>();
  for (const [name, schema] of namedSchemas) {
    const { $defs, ...own } = toJsonSchema(schema, io);
    all.set(name, isRefTo(own, name) ? ($defs?.[name] ?? own) : own);
    for (const [other, definition] of Object.entries($defs ?? {})) {
      if (!all.has(other)) all.set(other, definition);
    }
  }
  return all;
}

/** The names that a schema refers to, directly. */
export function referencesOf(schema: unknown): Set<string> {
  const names = new Set<string>();
  visit(schema, (node) => {
    if (typeof node.$ref === "string") names.add(nameOf(node.$ref));
  });
  return names;
}

/** A copy in which every reference by name goes where `target` says. */
export function rewriteReferences<T>(schema: T, target: (name: string) => string): T {
  const copy = structuredClone(schema);
  visit(copy, (node) => {
    if (typeof node.$ref === "string") node.$ref = target(nameOf(node.$ref));
  });
  return copy;
}

/** Takes the names off again: whatever else this process describes is to stand without them. */
export function forgetNames(): void {
  for (const schema of namedSchemas.values()) {
    const { id: _, ...known } = z.globalRegistry.get(schema) ?? {};
    z.globalRegistry.remove(schema);
    if (Object.keys(known).length > 0) z.globalRegistry.add(schema, known);
  }
}

export function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1);
}

function collectNamed(): Map<string, z.ZodType> {
  const named = new Map<string, z.ZodType>();
  for (const [name, value] of Object.entries(contract)) {
    if (!(value instanceof z.ZodType)) continue;
    const known = z.globalRegistry.get(value);
    // The same schema under a second name keeps its first one.
    if (known?.id !== undefined) continue;
    z.globalRegistry.add(value, { ...known, id: name });
    named.set(name, value);
  }
  return new Map([...named].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isRefTo(schema: JsonSchema, name: string): boolean {
  return schema.$ref !== undefined && nameOf(schema.$ref) === name;
}

// `z.json()` is recursive and gets a number instead of a name each time it is used; it is always Json.
function withJsonNamed(schema: JsonSchema): JsonSchema {
  const { $defs = {} } = schema;
  for (const [name, definition] of Object.entries($defs)) {
    if (!name.startsWith("__schema")) continue;
    if (definition.anyOf?.length !== 6) throw new Error(`give the recursive schema ${name} a name`);
    delete $defs[name];
    $defs.Json = definition;
  }
  return rewriteReferences(schema, (name) =>
    name.startsWith("__schema") ? "#/$defs/Json" : `#/$defs/${name}`,
  );
}

function withoutIds(schema: JsonSchema): JsonSchema {
  visit(schema, (node) => {
    if (typeof node.id === "string") delete node.id;
    if (typeof node.$id === "string") delete node.$id;
  });
  return schema;
}

// Walks schema nodes only; `properties` and `$defs` are maps whose keys are names, not keywords.
function visit(node: unknown, see: (node: JsonSchema) => void): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, see);
  } else if (typeof node === "object" && node !== null) {
    const schema = node as JsonSchema;
    see(schema);
    for (const [keyword, value] of Object.entries(schema)) {
      const isMap = keyword === "properties" || keyword === "$defs" || keyword === "schemas";
      if (isMap && typeof value === "object" && value !== null) {
        for (const child of Object.values(value)) visit(child, see);
      } else visit(value, see);
    }
  }
}
