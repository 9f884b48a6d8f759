// The list's view between address and server.
import { expect, it } from "vitest";
import {
  DEFAULT_COLUMNS,
  isFiltered,
  questionOf,
  readView,
  sortBy,
  writeView,
} from "./prepare-view.ts";

it("reads a bare address as the default view and writes nothing for it", () => {
  const view = readView({});
  expect(view).toMatchObject({ sort: "id", direction: "desc", columns: DEFAULT_COLUMNS });
  expect(writeView(view)).toEqual({});
  expect(isFiltered(view)).toBe(false);
});

it("keeps a view through the address", () => {
  const address = {
    q: "digits",
    state: "running,failed",
    tag: "baseline",
    archived: "true",
    sort: "metric:val/accuracy",
    dir: "asc",
    cols: "best,metric:val/loss",
  };
  expect(writeView(readView(address))).toEqual(address);
  expect(isFiltered(readView(address))).toBe(true);
});

it("drops what is not ours from the address", () => {
  const view = readView({ state: "running,exploded", sort: "drop table", cols: "evil,best", q: 3 });
  expect(view).toMatchObject({ states: ["running"], sort: "id", columns: ["best"], q: "" });
});

it("asks the server for the columns' metrics and nothing that is empty", () => {
  const question = questionOf(
    readView({ cols: "best,metric:val/loss" }),
    { project_id: "3" },
    "abc",
  );
  expect(question).toEqual({
    project_id: "3",
    metrics: "val/loss",
    cursor: "abc",
    sort: "id",
    direction: "desc",
    limit: "100",
  });
});

it("sorts losses upward first, everything else downward, and turns on the second click", () => {
  const view = readView({});
  expect(sortBy(view, "metric:val/accuracy").direction).toBe("desc");
  expect(sortBy(view, "metric:train/loss").direction).toBe("asc");
  expect(sortBy({ ...view, sort: "name", direction: "asc" }, "name").direction).toBe("desc");
});
