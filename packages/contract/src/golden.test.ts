// The golden payloads say what really crosses the wire; the Python tests read the same files.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import * as contract from "./index.ts";

const folder = fileURLToPath(new URL("../golden", import.meta.url));

const files = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap((domain) =>
    readdirSync(join(folder, domain.name)).map((name) => join(domain.name, name)),
  );

/** `worker/EventBatch.metric-points.json` holds an `EventBatch`. */
function schemaOf(file: string): z.ZodType {
  const name = file.split("/").at(-1)?.split(".")[0] ?? "";
  const schema: unknown = Reflect.get(contract, name);
  if (!(schema instanceof z.ZodType))
    throw new Error(`${file} names no schema of the contract: ${name}`);
  return schema;
}

describe("golden payloads", () => {
  it("cover every worker event", () => {
    const seen = new Set<string>();
    for (const file of files.filter((name) => name.includes("EventBatch"))) {
      const batch = contract.EventBatch.parse(JSON.parse(readFileSync(join(folder, file), "utf8")));
      for (const event of batch.events) seen.add(event.type);
    }
    expect([...seen].sort()).toEqual(
      contract.WorkerEvent.options.map((option) => option.shape.type.value).sort(),
    );
  });

  it.each(files)("%s is what its schema says, to the last field", (file) => {
    const payload: unknown = JSON.parse(readFileSync(join(folder, file), "utf8"));
    expect(schemaOf(file).parse(payload)).toEqual(payload);
  });
});

describe("endpoints", () => {
  it("have names and addresses of their own", () => {
    const names = contract.endpoints.map((endpoint) => endpoint.name);
    const addresses = contract.endpoints.map((endpoint) => `${endpoint.method} ${endpoint.path}`);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(addresses).size).toBe(addresses.length);
  });

  it("answer with JSON or say what comes instead", () => {
    for (const endpoint of contract.endpoints) {
      expect(endpoint.response !== undefined || endpoint.stream !== undefined, endpoint.name).toBe(
        true,
      );
    }
  });
});
