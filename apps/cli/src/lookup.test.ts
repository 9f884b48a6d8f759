// A model version is found by what people type, and a deleted one is said to be deleted.
import type { HttpClient } from "@spotter/client";
import { findModelVersions, listModels, listModelVersions } from "@spotter/contract";
import { describe, expect, it } from "vitest";
import { restorableIdOf, versionIdOf } from "./lookup.ts";

const live = { id: 7, model_id: 1, name: "digits", version: 1, is_deleted: false };
const gone = { id: 9, model_id: 1, name: "digits", version: 2, is_deleted: true };
const lost = { id: 12, model_id: 3, name: "letters", version: 1, is_deleted: true };

/** Answers as the server does: deleted versions, and models without others, are listed only where they are asked for. */
const client = {
  call: async (
    endpoint: unknown,
    { query = {} }: { query?: { version?: string; deleted?: string } } = {},
  ) => {
    if (endpoint === listModels) return { models: [{ id: 1, name: "digits" }] };
    const all = endpoint === listModelVersions ? [live, gone] : [live, gone, lost];
    expect([listModelVersions, findModelVersions]).toContain(endpoint);
    const versions = all.filter(
      (one) =>
        one.is_deleted === (query.deleted === "true") && String(one.version) === query.version,
    );
    return { versions };
  },
} as unknown as HttpClient;

describe("a version", () => {
  it("is found by model and number", async () => {
    expect(await versionIdOf(client, "digits@1")).toBe(7);
    expect(await versionIdOf(client, "Digits@v1")).toBe(7);
    await expect(versionIdOf(client, "digits@5")).rejects.toThrow("digits has no version 5.");
    await expect(versionIdOf(client, "birds@1")).rejects.toThrow('There is no model "birds"');
  });

  it("that is deleted is said to be, with what brings it back", async () => {
    for (const name of ["digits@2", "letters@1"])
      await expect(versionIdOf(client, name)).rejects.toThrow(
        `${name} is deleted; "spotter models restore ${name}" brings it back.`,
      );
  });

  it("is restored by the same name, or by its id", async () => {
    expect(await restorableIdOf(client, "digits@2")).toBe(9);
    expect(await restorableIdOf(client, "letters@v1")).toBe(12);
    expect(await restorableIdOf(client, "1@2")).toBe(9);
    expect(await restorableIdOf(client, "9")).toBe(9);
    // One that was never deleted: restoring it changes nothing, and says so.
    expect(await restorableIdOf(client, "digits@1")).toBe(7);
  });
});
