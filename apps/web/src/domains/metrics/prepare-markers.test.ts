import { expect, test } from "vitest";
import { placeMarkers } from "./prepare-markers.ts";

const checkpoint = (x: number) => ({ x, kind: "checkpoint" as const, label: `c${x}` });

test("marks closer than twelve pixels are one with a count", () => {
  const placed = placeMarkers([checkpoint(0), checkpoint(1), checkpoint(50)], [0, 100], 1000);
  expect(placed.map((mark) => [mark.left, mark.markers.length])).toEqual([
    [0, 2],
    [500, 1],
  ]);
});

test("different marks that merge are many, and those outside are not drawn", () => {
  const attempt = { x: 10, kind: "attempt" as const, label: "a" };
  const placed = placeMarkers([checkpoint(10), attempt, checkpoint(200)], [0, 100], 100);
  expect(placed).toHaveLength(1);
  expect(placed[0]?.kind).toBe("many");
});
