// A live reader has every commit exactly once, whenever it comes, however slow it is, and from any position.
import type { LiveEvent, MetricAppended } from "@spotter/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LiveHub } from "../../src/domains/metrics/live.ts";
import type { LiveFrame } from "../../src/domains/metrics/live-frame.ts";
import type { Outlet } from "../../src/domains/metrics/live-reader.ts";
import { Bus } from "../../src/platform/bus.ts";
import { freshTestDatabase } from "../database.ts";
import { openRoom, pointsEvent, RUN } from "../metrics-model.ts";
import { waitUntil } from "../wait-until.ts";

const caller = {
  userId: 1,
  userName: "ada",
  isAdmin: true,
  via: "session" as const,
  roles: new Map(),
  credentialId: 1,
};

/** Remembers what it is sent; its backlog is whatever the test says. */
class Recorder implements Outlet {
  readonly events: LiveEvent[] = [];
  readonly positions: (string | null)[] = [];
  isEnded = false;
  bytes = 0;
  leave: (() => void) | undefined;

  send(frame: LiveFrame, position: string | null): void {
    this.events.push(frame.event);
    this.positions.push(position);
  }
  beat(): void {
    this.events.length += 0;
  }
  backlog(): number {
    return this.bytes;
  }
  async drained(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.bytes = 0;
  }
  onGone(callback: () => void): void {
    this.leave = callback;
  }
  end(): void {
    this.isEnded = true;
  }
  commits(): number[] {
    return this.events
      .filter((event): event is MetricAppended => event.type === "metric-appended")
      .map((event) => event.commit_no);
  }
}

async function open() {
  const room = openRoom(await freshTestDatabase());
  const bus = new Bus((error) => {
    throw error;
  });
  const hub = new LiveHub({
    bus,
    service: room.service,
    onError: (error) => {
      throw error;
    },
  });
  let numSent = 0;
  return {
    ...{ room, bus, hub },
    connect(from: number) {
      const outlet = new Recorder();
      const reader = hub.connect({
        ...{ caller, outlet, runIds: [RUN] },
        wishes: { topics: new Set(["metrics"]), filter: undefined, mayView: () => true },
        stillAllowed: async () => undefined,
      });
      reader.begin(new Map([[RUN, from]]));
      return { outlet, reader };
    },
    async send() {
      numSent += 1;
      const step = numSent;
      await room.send(1, [pointsEvent({ loss: [{ step, time: step, value: step }] })]);
      const event = room.appended.at(-1);
      if (event !== undefined) bus.publish(event);
      return numSent;
    },
    numSent: () => numSent,
  };
}

describe("a page of replay", () => {
  /** Batches of so many points each, one series more than another. */
  const batchOf = (size: number, at: number) => {
    const points = Array.from({ length: size }, (_, index) => {
      const step = at * 1000 + index;
      return { step, time: step, value: step };
    });
    return pointsEvent({ loss: points.slice(0, 1), wide: points.slice(1) });
  };
  const sizes = [1, 40, 1, 1, 300, 2, 60, 60, 1, 1, 1, 90, 5];

  it.each(["in the tail", "sealed", "half sealed"])("is bounded by points, %s", async (place) => {
    const room = openRoom(await freshTestDatabase());
    for (const [index, size] of sizes.entries()) {
      await room.send(1, [batchOf(size, index)]);
      if (place === "half sealed" && index === 6) await room.sealer.sealRun(RUN, true);
    }
    if (place === "sealed") await room.sealer.sealRun(RUN, true);
    const read: number[] = [];
    for (let after = 0, more = true; more; ) {
      const page = await room.service.readAfter(RUN, after, 100, undefined, 100);
      const counts = page.events.map(({ series }) =>
        Object.values(series).reduce((sum, { step }) => sum + step.length, 0),
      );
      const total = counts.reduce((sum, count) => sum + count, 0);
      if (counts.length > 1) expect(total).toBeLessThanOrEqual(100);
      expect(page.commitNo).toBe(after + counts.length);
      read.push(...counts);
      after = page.commitNo;
      more = page.more;
    }
    expect(read).toEqual(sizes);
  });
});

describe("a live reader", () => {
  it("has each commit exactly once, in order, whenever it comes and however sealing goes", async () => {
    const live = await open();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("send", "connect", "turn", "seal"), { maxLength: 30 }),
        fc.nat(),
        async (actions, anywhere) => {
          const readers: { from: number; outlet: Recorder }[] = [];
          const sealing: Promise<void>[] = [];
          for (const action of actions) {
            if (action === "send") await live.send();
            else if (action === "turn") await new Promise((resolve) => setImmediate(resolve));
            else if (action === "seal") sealing.push(live.room.sealer.sealRun(RUN, false));
            else {
              const from = anywhere % (live.numSent() + 1);
              readers.push({ from, outlet: live.connect(from).outlet });
            }
          }
          await Promise.all(sealing);
          const last = await live.send();
          for (const { from, outlet } of readers) {
            await waitUntil(
              () => outlet.commits().length,
              (count) => count >= last - from,
            );
            expect(outlet.commits()).toEqual(
              Array.from({ length: last - from }, (_, index) => from + index + 1),
            );
            expect(outlet.positions.at(-1)).toBe(`${RUN}:${last}`);
          }
        },
      ),
      { numRuns: 30 },
    );
    live.hub.close();
  });

  it("is cut with its position when it does not read, and others go on", async () => {
    const live = await open();
    const slow = live.connect(0);
    const quick = live.connect(0);
    await live.send();
    await waitUntil(
      () => [slow, quick].every(({ outlet }) => outlet.commits().length === 1),
      Boolean,
    );
    slow.outlet.bytes = 2 * 1024 * 1024;
    await live.send();
    await live.send();
    expect(slow.outlet.events.at(-1)).toEqual({ type: "stream-closing", reason: "slow-reader" });
    expect(slow.outlet.positions.at(-1)).toBe(`${RUN}:2`);
    expect(slow.outlet.isEnded).toBe(true);
    expect(quick.outlet.commits()).toEqual([1, 2, 3]);
    live.hub.close();
    expect(quick.outlet.events.at(-1)).toEqual({ type: "stream-closing", reason: "shutting-down" });
  });

  it("fetches from the store what the bus did not tell", async () => {
    const live = await open();
    const { outlet } = live.connect(0);
    await live.send();
    await waitUntil(outlet.commits.bind(outlet), (commits) => commits.length === 1);
    // As another server on the same database would write.
    await live.room.send(1, [pointsEvent({ loss: [{ step: 90, time: 90, value: 90 }] })]);
    await live.send();
    await waitUntil(outlet.commits.bind(outlet), (commits) => commits.length === 3);
    expect(outlet.commits()).toEqual([1, 2, 3]);
    live.hub.close();
  });
});
