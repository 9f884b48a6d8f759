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

test("no number is cut in two: what is left would be another number", () => {
  expect(removeSharedPrefix(["lr 0.1", "lr 0.01"])).toEqual(["0.1", "0.01"]);
  expect(removeSharedPrefix(["lr=0.1", "lr=0.2"])).toEqual(["lr=0.1", "lr=0.2"]);
  expect(removeSharedPrefix(["lr 1e-3", "lr 1e-4"])).toEqual(["1e-3", "1e-4"]);
  expect(removeSharedPrefix(["shift -2", "shift -3"])).toEqual(["-2", "-3"]);
  expect(removeSharedPrefix(["model.small", "model.large"])).toEqual(["small", "large"]);
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
