// When a lost attempt is made good.
import type { AttemptExit } from "@spotter/contract";
import { describe, expect, it } from "vitest";
import { decideRetry } from "./retries.ts";

const exit = (change: Partial<AttemptExit> = {}): AttemptExit => ({
  ...{ exit_code: null, signal: "SIGKILL", out_of_memory: false, reason: "worker-lost" },
  ...{ message: "the worker was ended by SIGKILL" },
  ...change,
});
const lost = (lastSteps: (number | null)[], attempts = 5) => ({
  ...{ limits: { attempts }, numAttempts: lastSteps.length, lastSteps },
  isPaused: false,
});

describe("a lost attempt", () => {
  it("is final where nobody asked for more", () => {
    expect(decideRetry({ ...lost([5]), limits: {} }, exit(), 0)).toBeNull();
  });

  it("is tried again after ten seconds, then after twice as long each time, at most ten minutes", () => {
    const pause = (steps: number[]) => {
      const decision = decideRetry(lost(steps, 20), exit(), 1000);
      return decision?.kind === "again" ? decision.notBefore - 1000 : null;
    };
    expect([pause([100]), pause([100, 200]), pause([100, 200, 300])]).toEqual([10, 20, 40]);
    expect(pause(Array.from({ length: 12 }, (_, index) => 100 * index))).toBe(600);
  });

  it("says that it comes back paused where somebody had paused it", () => {
    expect(decideRetry({ ...lost([100]), isPaused: true }, exit(), 0)?.reason).toBe(
      "Attempt 1 of 5 was lost while paused, and comes back paused from the last checkpoint: the worker was ended by SIGKILL",
    );
  });

  it("is not tried again when it was out of memory, out of time, or well", () => {
    for (const change of [
      { out_of_memory: true },
      { reason: "time-limit" },
      { exit_code: 0, signal: null, reason: null },
    ])
      expect(decideRetry(lost([5]), exit(change), 0)).toBeNull();
  });

  it("ends the job when all attempts are used up", () => {
    expect(decideRetry(lost([100, 900], 2), exit(), 0)).toEqual({
      kind: "given-up",
      reason: "Lost in all of its 2 attempts: the worker was ended by SIGKILL",
    });
  });

  it("ends the job at the third crash at one place, and says where", () => {
    const third = decideRetry(lost([1200, 1204, 1203], 9), exit(), 0);
    expect(third?.reason).toContain("three times at about step 1204");
    expect(decideRetry(lost([null, null, null], 9), exit(), 0)?.reason).toContain(
      "before the first",
    );
    expect(decideRetry(lost([100, 1200, 1203], 9), exit(), 0)?.kind).toBe("again");
    expect(decideRetry(lost([null, 3, 4], 9), exit(), 0)?.kind).toBe("again");
  });
});
