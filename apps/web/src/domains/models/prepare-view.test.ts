// The list of versions in the address and as a question.
import { expect, it } from "vitest";
import { isFiltered, questionOf, readView, sortBy, writeView } from "./prepare-view.ts";

it("comes back from the address as it was written, and an empty one is short", () => {
  const view = readView({
    ...{ q: "digits", tag: "good", stage: "production", metric: "test/accuracy" },
    ...{ min: "0.9", max: "", deleted: "true", sort: "metric:test/loss", dir: "asc" },
  });
  expect(readView(writeView(view))).toEqual(view);
  expect(writeView(readView({}))).toEqual({});
  expect(isFiltered(view)).toBe(true);
  expect(isFiltered(readView({ sort: "size" }))).toBe(false);
});

it("drops what no server would take", () => {
  expect(readView({ sort: "name", stage: "lab", min: "much", q: ["a"] })).toEqual(readView({}));
});

it("asks for bounds only beside their metric", () => {
  const bounds = questionOf(readView({ min: "0.5", max: "0.9" }), 0);
  expect(bounds).toEqual({ sort: "id", direction: "desc", limit: "100", offset: "0" });
  expect(questionOf(readView({ metric: "a", min: "0.5" }), 100)).toMatchObject({
    ...{ metric: "a", min: "0.5", offset: "100" },
  });
});

it("sorts best first, then the other way, then not at all", () => {
  const plain = readView({});
  const once = { ...plain, ...sortBy(plain, "metric:test/loss", true) };
  expect(once).toMatchObject({ sort: "metric:test/loss", direction: "asc" });
  const twice = { ...once, ...sortBy(once, "metric:test/loss", true) };
  expect(twice.direction).toBe("desc");
  expect(sortBy(twice, "metric:test/loss", true)).toEqual({ sort: "id", direction: "desc" });
});
