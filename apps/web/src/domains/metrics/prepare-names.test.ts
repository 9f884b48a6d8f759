import { expect, test } from "vitest";
import { groupOf, mergeNames, orderForReading, removeSharedPrefix } from "./prepare-names.ts";

test("names are grouped by their first part", () => {
  expect(groupOf("train/loss")).toBe("train");
  expect(groupOf("layer/3/norm")).toBe("layer");
  expect(groupOf("loss")).toBe("");
});

test("legends leave out what all names share", () => {
  expect(removeSharedPrefix(["resnet18-lr1", "resnet18-lr2"])).toEqual(["lr1", "lr2"]);
  expect(removeSharedPrefix(["a", "b"])).toEqual(["a", "b"]);
  expect(removeSharedPrefix(["run-7"])).toEqual(["run-7"]);
});

test("new names are sorted in; nothing new is the same list", () => {
  const names = ["a", "c"];
  expect(mergeNames(names, ["b", "c"])).toEqual(["a", "b", "c"]);
  expect(mergeNames(names, ["c"])).toBe(names);
});

test("loss and accuracy come before the rest", () => {
  expect(orderForReading(["train/accuracy", "train/abc", "train/loss"])).toEqual([
    "train/loss",
    "train/accuracy",
    "train/abc",
  ]);
});
