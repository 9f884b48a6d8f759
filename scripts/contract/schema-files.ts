// Sorts the named JSON Schemas into one file for each file of the contract that exports them.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { allNamed, type JsonSchema, rewriteReferences } from "./json-schema.ts";

/** File name → document with the schemas of that part of the contract under `$defs`. */
export function schemaFiles(contractFolder: string): Map<string, object> {
  const homes = findHomes(contractFolder);
  const files = new Map<string, Record<string, JsonSchema>>();
  for (const [name, schema] of allNamed("input")) {
    const home = homes.get(name);
    if (home === undefined) throw new Error(`no file of the contract exports ${name}`);
    const target = (other: string) =>
      homes.get(other) === home ? `#/$defs/${other}` : `${homes.get(other)}.json#/$defs/${other}`;
    const definitions = files.get(home) ?? {};
    definitions[name] = rewriteReferences(schema, target);
    files.set(home, definitions);
  }
  return new Map([...files].sort().map(([home, $defs]) => [`${home}.json`, document(home, $defs)]));
}

function document(home: string, definitions: Record<string, JsonSchema>): object {
  const sorted = Object.entries(definitions).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: `Spotter contract: ${home}`,
    $defs: Object.fromEntries(sorted),
  };
}

function findHomes(contractFolder: string): Map<string, string> {
  const homes = new Map<string, string>();
  for (const file of readdirSync(contractFolder, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
    const text = readFileSync(path.join(contractFolder, file), "utf8");
    const home = path.basename(file, ".ts");
    for (const [, name] of text.matchAll(/^export const (\w+)\b/gm))
      if (name) homes.set(name, home);
  }
  return homes;
}
