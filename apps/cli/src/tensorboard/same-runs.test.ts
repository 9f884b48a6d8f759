import { expect, it } from "vitest";
import { withSameRuns } from "./same-runs.ts";

it("knows the folder itself, those above it and those in it, and no mere namesakes", () => {
  const followed = ["/logs/a", "/logs", "/", "/logs/a/run-1", "/logs/ab", "/other/a"];
  expect(withSameRuns("/logs/a", followed)).toEqual(["/logs/a", "/logs", "/", "/logs/a/run-1"]);
});
