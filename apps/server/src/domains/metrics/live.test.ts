// What the hub looks at with each heartbeat, with the clock in our hand.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Bus } from "../../platform/bus.ts";
import { SpotterError } from "../../platform/errors.ts";
import { LiveHub } from "./live.ts";
import type { LiveFrame } from "./live-frame.ts";
import type { MetricsService } from "./service.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const caller = {
  ...{ userId: 1, userName: "ada", isAdmin: false, via: "session" as const, credentialId: 1 },
  roles: new Map(),
};

function openHub(stillAllowed: () => Promise<void>) {
  const failures: unknown[] = [];
  const sent: string[] = [];
  const counts = { beats: 0, ends: 0 };
  const hub = new LiveHub({
    bus: new Bus((error) => failures.push(error)),
    // A reader that watches no run asks it nothing.
    service: {} as MetricsService,
    onError: (error) => failures.push(error),
  });
  const outlet = {
    send: (frame: LiveFrame) => sent.push(JSON.stringify(frame.event)),
    beat: () => {
      counts.beats += 1;
    },
    backlog: () => 0,
    drained: () => Promise.resolve(),
    onGone: () => undefined,
    end: () => {
      counts.ends += 1;
    },
  };
  const wishes = { topics: new Set(["runs" as const]), filter: undefined, mayView: () => true };
  hub.connect({ caller, outlet, wishes, runIds: [], stillAllowed });
  return { hub, sent, counts, failures };
}

describe("a heartbeat", () => {
  it("ends the stream of whoever is not allowed any more, within 15 seconds", async () => {
    let isAllowed = true;
    const { hub, sent, counts } = openHub(async () => {
      if (!isAllowed) throw new SpotterError("role-too-low");
    });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(counts).toEqual({ beats: 2, ends: 0 });
    isAllowed = false;
    await vi.advanceTimersByTimeAsync(15_000);
    expect(counts.ends).toBe(1);
    expect(sent.at(-1)).toContain('"signed-out"');
    expect(hub.numReaders).toBe(0);
    hub.close();
  });

  it("keeps the stream when the question itself fails, and reports that", async () => {
    const { hub, counts, failures } = openHub(async () => {
      throw new SpotterError("database-busy");
    });
    await vi.advanceTimersByTimeAsync(15_000);
    expect(counts.ends).toBe(0);
    expect(failures).toHaveLength(1);
    hub.close();
  });
});
