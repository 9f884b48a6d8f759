// What is typed about the queue becomes a request, or is marked as wrong.
import { expect, it } from "vitest";
import { NO_WISHES, readWishes, wishBody, writeWishes, wrongWishes } from "./prepare-wishes.ts";

it("asks for nothing where nothing is typed", () => {
  expect(wishBody(NO_WISHES)).toEqual({});
  expect(writeWishes(NO_WISHES)).toBe("");
});

it("asks for what is typed, minutes as seconds", () => {
  const wishes = { ...NO_WISHES, priority: 1, gpus: "2", timeLimit: "1.5", attempts: "3" };
  expect(wishBody(wishes)).toEqual({
    priority: 1,
    resources: { gpus: 2 },
    limits: { time_s: 90, attempts: 3 },
  });
  expect(wrongWishes(wishes)).toEqual(new Set());
  expect(readWishes(writeWishes(wishes))).toEqual(wishes);
});

it("marks what the server would refuse", () => {
  const wishes = { ...NO_WISHES, gpus: "many", cores: "0", timeLimit: "0.001", memory: "-1" };
  expect(wrongWishes(wishes)).toEqual(new Set(["gpus", "cores", "timeLimit", "memory"]));
});

it("reads a broken draft as none", () => {
  expect(readWishes("{")).toEqual(NO_WISHES);
  expect(readWishes('{"gpus":7,"priority":9}')).toEqual(NO_WISHES);
});
