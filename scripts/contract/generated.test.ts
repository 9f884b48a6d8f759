// Tests of what is generated from the contract: the error page has every code and no other, and the
// OpenAPI document is whole.
import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { endpoints, errorTable } from "../../packages/contract/src/index.ts";
import { allNamed, forgetNames, referencesOf } from "./json-schema.ts";
import { openApi } from "./open-api.ts";
import { pythonModels } from "./python-models.ts";

// Files of tests share a process, and with it the contract.
afterAll(forgetNames);

test("docs/reference/errors.md has every error code and no other", () => {
  const page = readFileSync("docs/reference/errors.md", "utf8");
  const codes = [...page.matchAll(/^\| `([a-z-]+)` \| (\d+) \|/gm)].map((row) => [
    row[1],
    Number(row[2]),
  ]);
  expect(codes).toEqual(Object.entries(errorTable).map(([code, row]) => [code, row.status]));
});

test("every endpoint is in the OpenAPI document, once", () => {
  const document = openApi("0.0.0") as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  expect(operations.map((operation) => operation.operationId).sort()).toEqual(
    endpoints.map((endpoint) => endpoint.name).sort(),
  );
});

test("every reference of the OpenAPI document leads somewhere", () => {
  const document = openApi("0.0.0") as { components: { schemas: object } };
  const lost = [...referencesOf(document)].filter((name) => !(name in document.components.schemas));
  expect(lost).toEqual([]);
});

test("every path parameter of an endpoint has its schema", () => {
  const document = openApi("0.0.0") as {
    paths: Record<string, Record<string, { parameters?: { name: string; in: string }[] }>>;
  };
  for (const [path, operations] of Object.entries(document.paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    for (const operation of Object.values(operations)) {
      const described = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
      expect(described.map((parameter) => parameter.name).sort(), path).toEqual(names.sort());
    }
  }
});

test("the JSON Schemas refer only to each other", () => {
  const all = allNamed("input");
  const lost = [...all.values()].flatMap((schema) => [...referencesOf(schema)]);
  expect(lost.filter((name) => !all.has(name))).toEqual([]);
});

test("the Python models have one class for each worker event", () => {
  const models = pythonModels();
  for (const event of ["RunStartedEvent", "MetricPointsEvent", "AttemptEndedEvent"]) {
    expect(models).toMatch(new RegExp(`^class ${event}\\(`, "m"));
  }
  expect(models).toMatch(/^WorkerEvent = Union\[/m);
});
