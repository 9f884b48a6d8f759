import type { Prediction } from "@spotter/contract";
import { expect, test } from "vitest";
import {
  choosePictures,
  greyPixels,
  MAX_PICTURE_BYTES,
  shownName,
  soundFile,
} from "./prepare-try.ts";

test("what cannot be sent is named with its reason", () => {
  const picture = { name: "a.png", size: 10, type: "image/png" };
  const chosen = choosePictures([
    picture,
    { name: "b.txt", size: 10, type: "text/plain" },
    { name: "c.png", size: MAX_PICTURE_BYTES + 1, type: "image/png" },
  ]);
  expect(chosen.accepted).toEqual([picture]);
  expect(chosen.problems.map((entry) => entry.problem)).toEqual(["not-a-picture", "too-large"]);
  const many = choosePictures(Array.from({ length: 17 }, () => picture));
  expect(many.problems).toEqual([{ name: "a.png", problem: "too-many" }]);
});

test("grey values become opaque pixels", () => {
  expect(greyPixels([[0, 1]])).toEqual({
    width: 2,
    height: 1,
    pixels: new Uint8ClampedArray([0, 0, 0, 255, 255, 255, 255, 255]),
  });
});

test("an answer is named after its place in the data, its file, or nothing but its text", () => {
  const plain: Prediction = {
    ...{ input: "test:3", label: "cat", confidence: 1, top: [], text: null, truth: "cat" },
    ...{ thumbnail: null, picture: null, sound: null, name: null, asked: null },
  };
  expect(shownName({ ...plain, name: "cat/3.png" })).toBe("cat/3.png");
  expect(shownName({ ...plain, input: "seven.png" })).toBe("seven.png");
  expect(shownName({ ...plain, input: "seven.png", asked: "is it red?" })).toBe("seven.png");
  expect(shownName({ ...plain, input: "tomorrow it", asked: "tomorrow it rains" })).toBeNull();
});

test("a recording becomes a file that a browser plays, byte by byte", async () => {
  const file = soundFile(btoa("RIFF\u00ff\u0000"));
  expect(file.type).toBe("audio/wav");
  expect([...new Uint8Array(await file.arrayBuffer())]).toEqual([82, 73, 70, 70, 255, 0]);
});
