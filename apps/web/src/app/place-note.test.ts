// Where the tour's notes stand.
import { expect, it } from "vitest";
import { placeNote } from "./place-note.ts";

it("puts notes right of the rail and below the top bar", () => {
  const rail = { left: 8, top: 100, right: 200, bottom: 132 };
  expect(placeNote(rail, 1280, 800)).toEqual({ left: 212, top: 88 });
  expect(placeNote(rail, 1280, 800, 112)).toEqual({ left: 212, top: 124 });
  const search = { left: 400, top: 8, right: 600, bottom: 36 };
  expect(placeNote(search, 1280, 800)).toEqual({ left: 400, top: 48 });
});

it("never leaves the window", () => {
  const corner = { left: 1250, top: 780, right: 1278, bottom: 798 };
  expect(placeNote(corner, 1280, 800)).toEqual({ left: 968, top: 638 });
});
