// Which ends of attempts count, and which are none.
import { expect, it } from "vitest";
import { lostExit, PUT_BACK, startFailedExit, wasPutBack } from "./endings.ts";

it("an attempt that was put back never began; one that was lost, failed to start or runs still is not that", () => {
  expect(wasPutBack(JSON.stringify(startFailedExit(PUT_BACK)))).toBe(true);
  const others = [lostExit("worker-lost"), startFailedExit("no Python"), null];
  for (const exit of others)
    expect(wasPutBack(exit === null ? null : JSON.stringify(exit))).toBe(false);
});
