// Named texts between rows and object.
import { expect, it } from "vitest";
import { entriesOf, recordOf } from "./prepare-record.ts";

it("keeps named rows, and of two with one name the later", () => {
  const rows = [
    { name: "SEED", text: "1" },
    { name: " ", text: "not named yet" },
    { name: "SEED", text: "2" },
  ];
  expect(recordOf(rows, false)).toEqual({ SEED: "2" });
  expect(entriesOf({ SEED: "2" })).toEqual([{ name: "SEED", text: "2" }]);
});

it("is nothing again where nothing is allowed", () => {
  expect(recordOf([], true)).toBeNull();
  expect(recordOf([], false)).toEqual({});
  expect(entriesOf(null)).toEqual([]);
});
