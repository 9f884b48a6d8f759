import { expect, it } from "vitest";
import { RateWindows } from "./rate-window.ts";

it("counts each address in windows of its own, by a clock that nobody can set", () => {
  let now = 5;
  const windows = new RateWindows(undefined, () => now);
  const count = (key: string) => {
    let result: { current: number; ttl: number } | undefined;
    windows.incr(
      key,
      (_error, found) => {
        result = found;
      },
      1000,
    );
    return result;
  };
  expect(count("a")).toEqual({ current: 1, ttl: 1000 });
  now += 400;
  expect(count("a")).toEqual({ current: 2, ttl: 600 });
  expect(count("b")).toEqual({ current: 1, ttl: 1000 });
  now += 600;
  expect(count("a")).toEqual({ current: 1, ttl: 1000 });
  expect(windows.child()).not.toBe(windows);
});
