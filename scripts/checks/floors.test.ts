// Tests of the laws of the house, on houses small enough to see through.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Floors, findFurnitureViolations, findImportViolations } from "./floors.ts";

const floors = JSON.parse(readFileSync("floors.json", "utf8")) as Floors;

function violations(from: string, to: string | undefined, specifier = to ?? ""): string[] {
  return findImportViolations([{ from, to, specifier }], floors);
}

const rooms = "apps/server/src/domains";

describe("imports", () => {
  test.each([
    [
      "the client imports the contract",
      "packages/client/src/http.ts",
      "packages/contract/src/index.ts",
    ],
    [
      "a higher room imports a lower room's door",
      `${rooms}/metrics/sink.ts`,
      `${rooms}/queue/index.ts`,
    ],
    ["a room imports the platform", `${rooms}/auth/store.ts`, "apps/server/src/platform/clock.ts"],
    [
      "a domain of the pages imports their platform",
      "apps/web/src/domains/alerts/RulesTab.vue",
      "apps/web/src/platform/use-task.ts",
    ],
    ["app builds the rooms", "apps/server/src/app.ts", `${rooms}/auth/index.ts`],
    [
      "the write thread takes a room's procedures",
      "apps/server/src/db-thread.ts",
      `${rooms}/metrics/procedures.ts`,
    ],
    [
      "a test of the server may use the client",
      "apps/server/test/medium/a.test.ts",
      "packages/client/src/index.ts",
    ],
  ])("allowed: %s", (_name, from, to) => {
    expect(violations(from, to)).toEqual([]);
  });

  test.each([
    [
      "the pages' platform imports a domain",
      "apps/web/src/platform/use-task.ts",
      "apps/web/src/domains/settings/use-session.ts",
    ],
    [
      "a domain of the pages imports the shell",
      "apps/web/src/domains/home/HomePage.vue",
      "apps/web/src/app/router.ts",
    ],
    ["web imports the server", "apps/web/src/main.ts", "apps/server/src/platform/clock.ts"],
    [
      "web imports past the contract's door",
      "apps/web/src/main.ts",
      "packages/contract/src/runs.ts",
    ],
    ["the server imports the client", "apps/server/src/app.ts", "packages/client/src/index.ts"],
    [
      "the contract imports anything of ours",
      "packages/contract/src/a.ts",
      "packages/tfevents/src/index.ts",
    ],
    ["a lower room imports a higher one", `${rooms}/queue/service.ts`, `${rooms}/runs/index.ts`],
    ["a room imports its neighbour", `${rooms}/auth/service.ts`, `${rooms}/projects/index.ts`],
    ["a room imports past another's door", `${rooms}/runs/service.ts`, `${rooms}/queue/store.ts`],
    ["a file imports its own room's door", `${rooms}/runs/routes.ts`, `${rooms}/runs/index.ts`],
    ["app imports past a door", "apps/server/src/app.ts", `${rooms}/auth/service.ts`],
    ["the platform imports a room", "apps/server/src/platform/log.ts", `${rooms}/auth/index.ts`],
    ["a room imports app", `${rooms}/auth/service.ts`, "apps/server/src/app.ts"],
    ["a package imports from outside", "apps/server/src/app.ts", "scripts/build.mjs"],
  ])("refused: %s", (_name, from, to) => {
    expect(violations(from, to)).toHaveLength(1);
  });

  test("the ground floor does no input or output", () => {
    expect(violations("packages/contract/src/a.ts", undefined, "node:fs")).toHaveLength(1);
    expect(violations("packages/contract/src/a.test.ts", undefined, "node:fs")).toEqual([]);
    expect(violations("packages/contract/src/a.ts", undefined, "zod")).toEqual([]);
  });
});

describe("furniture", () => {
  const complete = ["README.md", "index.ts", "routes.ts", "routes.test.ts"].map(
    (f) => `${rooms}/auth/${f}`,
  );

  function furniture(files: string[], readme = "# auth") {
    return findFurnitureViolations(files, new Map([["auth", readme]]), floors);
  }

  test("a complete room passes", () => {
    expect(furniture(complete)).toEqual([]);
  });

  test("a room without its door fails", () => {
    expect(furniture([`${rooms}/auth/README.md`])).toEqual([`${rooms}/auth: has no index.ts`]);
  });

  test("an extra file fails until the README names it", () => {
    const files = [...complete, `${rooms}/auth/passwords.ts`];
    expect(furniture(files)).toHaveLength(1);
    expect(furniture(files, "`passwords.ts` hashes.")).toEqual([]);
  });

  test("a room that is on no storey fails", () => {
    const files = [`${rooms}/cellar/README.md`, `${rooms}/cellar/index.ts`];
    expect(furniture(files)).toEqual([`${rooms}/cellar: is on no storey of floors.json`]);
  });

  test("a README longer than a page fails", () => {
    expect(furniture(complete, "line\n".repeat(41))).toHaveLength(1);
  });
});
