// The monitor's waits, with the clock and the processes in our hand.
import { describe, expect, it } from "vitest";
import { Log } from "../../platform/log.ts";
import type { Executor } from "./executor.ts";
import type { JobLifecycle } from "./lifecycle.ts";
import type { LostAttempts } from "./lost-attempts.ts";
import { Monitor } from "./monitor.ts";
import type { Scheduler } from "./scheduler.ts";
import type { QueueStore } from "./store.ts";

/** One open attempt; without a pid it was never seen to start. */
function watch(pid: number | null, before?: object) {
  const state = {
    ...{ now: 1_000_000, numAdopted: 0, numPutBack: 0, numEnded: 0 },
    ...{
      worker: "gone",
      orders: [] as string[],
      living: [] as number[],
      found: null as number | null,
    },
  };
  const open = {
    ...{ job_id: 1, attempt: 1, pid, pid_start_time: "1", kill_at: null as number | null },
    started_at: state.now,
  };
  const executor = {
    runDir: () => "",
    find: async () => (state.found === null ? null : { pid: state.found, startTime: "3" }),
    state: async (handle: { pid: number }) => ({
      supervisor: state.living.includes(handle.pid) ? "alive" : "gone",
      ...{ worker: state.worker, exit: null },
    }),
    adopt: async () => {
      state.numAdopted += 1;
      return { pid: 2, startTime: "2" };
    },
    stop: async (_handle: object, force: string) => {
      state.orders.push(force);
    },
    logs: async () => [],
  };
  const losses = {
    putBack: async () => {
      state.numPutBack += 1;
    },
    end: async () => {
      state.numEnded += 1;
    },
  };
  const monitor = new Monitor({
    store: {
      openAttempts: async () => (before === undefined ? [open] : [before, open]),
      transaction: (work: (transaction: object) => unknown) => work({}),
      updateAttempt: async (_: object, _job: number, _attempt: number, change: object) =>
        Object.assign(open, change),
    } as unknown as QueueStore,
    lifecycle: { explain: async () => undefined } as unknown as JobLifecycle,
    losses: losses as unknown as LostAttempts,
    scheduler: { kick: () => undefined } as unknown as Scheduler,
    executor: executor as unknown as Executor,
    log: new Log({ level: "silent", format: "json", write: () => undefined }),
    now: () => state.now,
  });
  return { state, open, monitor };
}

describe("the monitor", () => {
  it("replaces a supervisor that dies again after five seconds, not at once", async () => {
    const { state, monitor } = watch(1);
    await monitor.look();
    await monitor.look();
    expect(state.numAdopted).toBe(1);
    state.now += 5;
    await monitor.look();
    expect(state.numAdopted).toBe(2);
  });

  it.each([3600, -3600])("does not wait for an hour when the clock jumps %d s", async (jump) => {
    const { state, monitor } = watch(1);
    await monitor.look();
    state.now += jump;
    await monitor.look();
    expect(state.numAdopted).toBe(2);
  });

  it("gives an attempt ten seconds to start, even before the clock was set back", async () => {
    const { state, monitor } = watch(null);
    state.now += 9;
    await monitor.look();
    expect(state.numPutBack).toBe(0);
    state.now -= 3600;
    await monitor.look();
    expect(state.numPutBack).toBe(1);
  });

  it("sees to an attempt though the one before it cannot be examined", async () => {
    const bad = {
      get pid(): number {
        throw new Error("unreadable");
      },
    };
    const { state, monitor } = watch(1, bad);
    await monitor.look();
    expect(state.numAdopted).toBe(1);
  });

  it("lets no supervisor that comes up too late start a worker beside the next attempt's", async () => {
    const { state, monitor } = watch(null);
    state.now += 11;
    await monitor.look();
    expect(state.orders).toEqual(["kill"]);
  });

  it("knows the supervisor that a server which died had started and not noted", async () => {
    const { state, open, monitor } = watch(1);
    state.found = 7;
    state.living = [7];
    await monitor.look();
    expect(state.numAdopted).toBe(0);
    expect(open.pid).toBe(7);
  });

  it("gives an attempt up after five supervisors, and never while its worker lives", async () => {
    const { state, monitor } = watch(1);
    state.worker = "alive";
    for (let look = 0; look < 7; look += 1) {
      await monitor.look();
      state.now += 5;
    }
    expect(state).toMatchObject({ numAdopted: 5, numEnded: 0, orders: ["kill", "kill"] });
    state.worker = "gone";
    await monitor.look();
    expect(state.numEnded).toBe(1);
  });

  it("asks and kills a worker that was to end before the clock was set back", async () => {
    const { state, open, monitor } = watch(1);
    state.living = [1];
    open.kill_at = state.now + 60;
    await monitor.look();
    expect(state.orders).toEqual([]);
    state.now -= 3600;
    await monitor.look();
    expect(state.orders).toEqual(["terminate"]);
  });
});
