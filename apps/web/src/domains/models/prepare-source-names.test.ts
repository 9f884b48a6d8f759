// Which sources are known by number only.
import { expect, it } from "vitest";
import { numberedSource, sourceOfRow } from "./prepare-source-names.ts";

it("finds the number that a source names, and none elsewhere", () => {
  expect(numberedSource({ model_version: 7 })).toMatchObject({ id: 7, key: "model_version 7" });
  expect(numberedSource({ dataset_version: 3 })?.key).toBe("dataset_version 3");
  for (const other of [
    null,
    7,
    "7",
    { path: "/data" },
    { model_version: null },
    { builtin: "digits" },
  ])
    expect(numberedSource(other)).toBeNull();
});

it("reads a row of a flattened config as the source that it is of", () => {
  expect(numberedSource(sourceOfRow("init_from.model_version", "7"))?.id).toBe(7);
  expect(numberedSource(sourceOfRow("data.builtin", "digits"))).toBeNull();
  expect(numberedSource(sourceOfRow("init_from.model_version", null))).toBeNull();
});
