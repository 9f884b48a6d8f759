// The lane of marks: who stands alone, who stands together, and what a mark that stands for several says.
import { expect, test } from "vitest";
import {
  type Marker,
  type MarkerKind,
  markAt,
  numRows,
  placeMarkers,
  rangeToOpen,
} from "./prepare-markers.ts";

const marker = (x: number, kind: MarkerKind = "checkpoint"): Marker => ({
  ...{ x, kind },
  label: `${kind} ${x}`,
});
const said = (markers: readonly Marker[], range: [number, number], width: number) =>
  placeMarkers(markers, range, width).map(({ row, parts }) => [
    row,
    parts.map(({ kind, count }) => `${count} ${kind}`).join(", "),
  ]);

test("marks that would cover each other are one, with its kind and count", () => {
  const placed = placeMarkers([marker(0), marker(1), marker(50)], [0, 100], 1000);
  expect(placed.map(({ left, markers }) => [left, markers.length])).toEqual([
    [5, 2],
    [500, 1],
  ]);
  expect(placed[0]?.parts).toMatchObject([{ kind: "checkpoint", count: 2 }]);
});

test("a live change never merges with checkpoints, not even with its own", () => {
  const markers = [marker(10), marker(10, "change"), marker(11), marker(12, "change")];
  expect(said(markers, [0, 1000], 100)).toEqual([
    [0, "2 change"],
    [1, "2 checkpoint"],
  ]);
});

test("a mark of several kinds counts each of them, in the order in which they lie", () => {
  const markers = [
    marker(1, "attempt"),
    marker(2, "alert"),
    marker(3, "change"),
    marker(4, "change"),
  ];
  expect(said(markers, [0, 1000], 100)).toEqual([[0, "1 attempt, 1 alert, 2 change"]]);
});

test("at one step a fork stands before the alert that it set off, whoever was read first", () => {
  const markers = [marker(100, "alert"), marker(100, "change"), marker(100, "fork")];
  expect(said(markers, [0, 1000], 100)).toEqual([[0, "1 fork, 1 change, 1 alert"]]);
  const [mark] = placeMarkers(markers, [0, 1000], 100);
  expect(mark?.markers.map(({ kind }) => kind)).toEqual(["fork", "change", "alert"]);
  expect(said([marker(101, "fork"), marker(100, "alert")], [0, 1000], 100)).toEqual([
    [0, "1 alert, 1 fork"],
  ]);
});

test("checkpoints alone need one row only, and marks outside the range are not drawn", () => {
  expect(numRows([marker(1), marker(2)])).toBe(1);
  expect(numRows([marker(1), marker(2, "fork")])).toBe(2);
  expect(said([marker(10), marker(200)], [0, 100], 100)).toEqual([[0, "1 checkpoint"]]);
  expect(placeMarkers([marker(1)], [5, 5], 100)).toEqual([]);
});

test("no two marks of a row touch, however many there are", () => {
  const many = Array.from({ length: 500 }, (_, index) => marker(index * 7 + (index % 13)));
  const placed = placeMarkers(many, [0, 4000], 600);
  expect(placed.reduce((sum, { markers }) => sum + markers.length, 0)).toBe(500);
  for (const [index, mark] of placed.entries()) {
    const before = placed[index - 1];
    if (before === undefined) continue;
    expect(mark.left - mark.width / 2).toBeGreaterThan(before.left + before.width / 2);
  }
});

test("the first icon of a mark never stands left of the plot", () => {
  const [mark] = placeMarkers([marker(0, "change"), marker(1, "alert")], [0, 1000], 600);
  expect(mark?.parts.map(({ kind, left }) => [kind, left])).toEqual([
    ["change", 0],
    ["alert", 13],
  ]);
});

test("zooming to where a mark opens brings its marks apart", () => {
  const markers = [marker(100, "change"), marker(104, "change")];
  const [together] = placeMarkers(markers, [0, 10_000], 600);
  if (together === undefined) throw new Error("no mark");
  const range = rangeToOpen(together);
  if (range === null) throw new Error("nothing to open");
  expect(placeMarkers(markers, range, 600)).toHaveLength(2);
});

test("marks at one and the same place have nothing to open", () => {
  const [mark] = placeMarkers([marker(5, "change"), marker(5, "change")], [0, 10], 100);
  expect(mark === undefined ? "none" : rangeToOpen(mark)).toBe(null);
});

test("a pointer finds the mark of its row, a finger the nearest one", () => {
  const placed = placeMarkers([marker(50), marker(50, "change")], [0, 100], 600);
  expect(markAt(placed, 300, 7, 4)?.parts[0]?.kind).toBe("change");
  expect(markAt(placed, 302, 21, 4)?.parts[0]?.kind).toBe("checkpoint");
  expect(markAt(placed, 330, 7, 4)).toBe(null);
  expect(markAt(placed, 316, 0, 24)?.parts[0]?.kind).toBe("change");
});
