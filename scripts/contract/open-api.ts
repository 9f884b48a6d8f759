// Writes the OpenAPI document of every endpoint that the contract defines.
import type { z } from "zod";
import { type AnyEndpoint, endpoints } from "../../packages/contract/src/index.ts";
import {
  allNamed,
  type Io,
  type JsonSchema,
  rewriteReferences,
  toJsonSchema,
} from "./json-schema.ts";

const inputs = allNamed("input");
const outputs = allNamed("output");

export function openApi(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  const components = new Map<string, JsonSchema>();
  for (const endpoint of endpoints) {
    const path = endpoint.path.replaceAll(/:(\w+)/g, "{$1}");
    paths[path] ??= {};
    paths[path][endpoint.method.toLowerCase()] = operation(endpoint, components);
  }
  const sorted = [...components].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    openapi: "3.1.0",
    info: {
      title: "Spotter",
      version,
      description:
        "Every failure has the shape of `ErrorEnvelope`. Times are Unix seconds. Non-finite numbers travel as the strings NaN, Infinity and -Infinity.",
    },
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "An API token." },
        session: { type: "apiKey", in: "cookie", name: "spotter_session" },
        worker: { type: "http", scheme: "bearer", description: "One attempt's worker token." },
      },
      schemas: Object.fromEntries(sorted),
    },
  };
}

function operation(endpoint: AnyEndpoint, components: Map<string, JsonSchema>): object {
  const parameters = [
    ...parametersOf(endpoint.params, "path", components),
    ...parametersOf(endpoint.query, "query", components),
  ];
  return {
    operationId: endpoint.name,
    tags: [endpoint.domain],
    summary: endpoint.summary,
    description: `Access: ${endpoint.access}.`,
    security: securityOf(endpoint),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(endpoint.body === undefined
      ? {}
      : {
          requestBody: { required: true, content: json(refer(endpoint.body, "input", components)) },
        }),
    responses: {
      [String(endpoint.stream === "websocket" ? 101 : (endpoint.status ?? 200))]: success(
        endpoint,
        components,
      ),
      default: {
        description: "A failure; `error.code` is one of docs/reference/errors.md.",
        content: json(referByName("ErrorEnvelope", "output", components)),
      },
    },
  };
}

function securityOf({ access }: AnyEndpoint): object[] {
  if (access === "public") return [];
  return access === "worker" ? [{ worker: [] }] : [{ session: [] }, { token: [] }];
}

function parametersOf(
  schema: z.ZodType | undefined,
  place: "path" | "query",
  components: Map<string, JsonSchema>,
): object[] {
  if (schema === undefined) return [];
  const { $defs, ...own } = toJsonSchema(schema, "input");
  const object = own.properties === undefined ? followed(own, $defs) : own;
  const required = new Set(object.required ?? []);
  return Object.entries(object.properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    required: place === "path" || required.has(name),
    schema: adopt(property, "input", components),
  }));
}

function followed(schema: JsonSchema, definitions: Record<string, JsonSchema> = {}): JsonSchema {
  const name = schema.$ref?.split("/").at(-1) ?? "";
  return definitions[name] ?? schema;
}

function success(endpoint: AnyEndpoint, components: Map<string, JsonSchema>): object {
  const streams = {
    sse: { "text/event-stream": { schema: { type: "string" } } },
    file: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
  };
  if (endpoint.stream === "websocket") return { description: "Switches to a WebSocket." };
  if (endpoint.stream === "sse") return { description: "A live stream.", content: streams.sse };
  if (endpoint.stream === "file")
    return { description: "The file's bytes.", content: streams.file };
  if (endpoint.response === undefined) return { description: "Done." };
  return { description: "Done.", content: json(refer(endpoint.response, "output", components)) };
}

function json(schema: JsonSchema): object {
  return { "application/json": { schema } };
}

function refer(schema: z.ZodType, io: Io, components: Map<string, JsonSchema>): JsonSchema {
  const { $defs: _defs, ...own } = toJsonSchema(schema, io);
  return adopt(own, io, components);
}

function referByName(name: string, io: Io, components: Map<string, JsonSchema>): JsonSchema {
  return adopt({ $ref: `#/$defs/${name}` }, io, components);
}

// Puts all that a schema refers to among the components. What a caller may leave out and what it gets
// back can differ for one schema; then the caller's half is named with "Input".
function adopt(schema: JsonSchema, io: Io, components: Map<string, JsonSchema>): JsonSchema {
  return rewriteReferences(schema, (name) => {
    const chosen = io === "input" && differs(name) ? `${name}Input` : name;
    if (!components.has(chosen)) {
      const definition = (io === "input" ? inputs : outputs).get(name);
      if (definition === undefined) throw new Error(`no schema is named ${name}`);
      components.set(chosen, {});
      components.set(chosen, adopt(definition, io, components));
    }
    return `#/components/schemas/${chosen}`;
  });
}

const known = new Map<string, boolean>();

function differs(name: string): boolean {
  const before = known.get(name);
  if (before !== undefined) return before;
  known.set(name, false);
  const [input, output] = [inputs.get(name), outputs.get(name)];
  let result = JSON.stringify(strictless(input)) !== JSON.stringify(strictless(output));
  for (const child of JSON.stringify(input).matchAll(/"#\/\$defs\/(\w+)"/g)) {
    result ||= differs(child[1] ?? "");
  }
  known.set(name, result);
  return result;
}

// An answer never has more fields than its schema, which only the output direction says; as a
// difference between the two directions it means nothing.
function strictless(schema: JsonSchema | undefined): unknown {
  return JSON.parse(
    JSON.stringify(schema, (key, value) =>
      key === "additionalProperties" && value === false ? undefined : value,
    ),
  );
}
