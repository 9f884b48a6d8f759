// The monitor's waits, with the clock and the processes in our hand.
import { describe, expect, it } from "vitest";
import { Log } from "../../platform/log.ts";
import type { Executor } from "./executor.ts";
import type { JobLifecycle } from "./lifecycle.ts";
import { Monitor } from "./monitor.ts";
import type { Scheduler } from "./scheduler.ts";
import type { QueueStore } from "./store.ts";

/** One open attempt; without a pid it was never seen to start. */
function watch(pid: number | null) {
  const state = { now: 1_000_000, numAdopted: 0, numPutBack: 0 };
  const open = {
    ...{ job_id: 1, attempt: 1, pid, pid_start_time: "1", kill_at: null },
    started_at: state.now,
  };
  const executor = {
    runDir: () => "",
    find: async () => null,
    state: async () => ({ supervisor: "gone", worker: "gone", exit: null }),
    adopt: async () => {
      state.numAdopted += 1;
      return { pid: 2, startTime: "2" };
    },
  };
  const lifecycle = {
    putBack: async () => {
      state.numPutBack += 1;
    },
  };
  const monitor = new Monitor({
    store: {
      openAttempts: async () => [open],
      transaction: async () => undefined,
    } as unknown as QueueStore,
    lifecycle: lifecycle as unknown as JobLifecycle,
    scheduler: { kick: () => undefined } as unknown as Scheduler,
    executor: executor as unknown as Executor,
    log: new Log({ level: "silent", format: "json", write: () => undefined }),
    now: () => state.now,
  });
  return { state, monitor };
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
});
