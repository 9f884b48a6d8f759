// The monitor's waits, with the clock and the processes in our hand.
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Log } from "../../platform/log.ts";
import type { AttemptHandle, AttemptState, Executor } from "./executor.ts";
import type { LostAttempt } from "./job-changes.ts";
import type { JobLifecycle } from "./lifecycle.ts";
import type { LostAttempts } from "./lost-attempts.ts";
import { Monitor } from "./monitor.ts";
import { YIELD_GRACE_S } from "./preemptions.ts";
import type { QueueStore } from "./store.ts";

const GONE: AttemptState = { kind: "orphaned", worker: "gone", exit: null };
const SILENT: AttemptState = { kind: "unreachable", why: "nobody at home" };

/** One open attempt; without a ref it was never seen to start. */
function watch(ref: string | null, before?: object) {
  const state = {
    ...{ now: 1_000_000, numAdopted: 0, numPutBack: 0, numGivenUp: 0 },
    ...{ isStarting: false, attempt: GONE },
    ...{ told: [] as string[], orders: [] as string[], living: [] as string[] },
    found: null as string | null,
    ended: [] as LostAttempt[],
    numStartsGivenUp: 0,
  };
  const open = {
    ...{ job_id: 1, attempt: 1, executor_ref: ref, kill_at: null as number | null },
    ...{ started_at: state.now, heartbeat_at: state.now, last_event_at: null },
  };
  const executor = {
    patienceS: 60,
    find: async () => state.found,
    state: async ({ ref: asked }: AttemptHandle): Promise<AttemptState> =>
      state.living.includes(asked ?? "") ? { kind: "running" } : state.attempt,
    adopt: async () => {
      state.numAdopted += 1;
      return "2:2";
    },
    stop: async (_: object, force: string) => {
      state.orders.push(force);
    },
    logs: async () => ["its last line"],
  };
  const lifecycle = {
    explain: async (_: number, reason: string) => {
      state.told.push(reason);
    },
  };
  const losses = {
    putBack: async () => {
      state.numPutBack += 1;
    },
    end: async (lost: LostAttempt) => {
      state.ended.push(lost);
    },
  };
  const monitor = new Monitor({
    store: {
      openAttempts: async () => (before === undefined ? [open] : [before, open]),
      transaction: (work: (transaction: object) => unknown) => work({}),
      updateAttempt: async (_: object, _job: number, _attempt: number, change: object) =>
        Object.assign(open, change),
    } as unknown as QueueStore,
    lifecycle: lifecycle as unknown as JobLifecycle,
    losses: losses as unknown as LostAttempts,
    scheduler: { kick: () => undefined },
    starter: {
      isStarting: () => state.isStarting,
      giveUp: () => {
        state.numStartsGivenUp += 1;
      },
    },
    fetcher: {
      giveUp: async () => {
        state.numGivenUp += 1;
      },
    },
    executor: executor as unknown as Executor,
    log: new Log({ level: "silent", format: "json", write: () => undefined }),
    now: () => state.now,
  });
  return { state, monitor, open };
}

describe("the monitor", () => {
  it("replaces a supervisor that dies again after five seconds, not at once", async () => {
    const { state, monitor } = watch("1:1");
    await monitor.look();
    await monitor.look();
    expect(state.numAdopted).toBe(1);
    state.now += 5;
    await monitor.look();
    expect(state.numAdopted).toBe(2);
  });

  it.each([3600, -3600])("does not wait for an hour when the clock jumps %d s", async (jump) => {
    const { state, monitor } = watch("1:1");
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
      get executor_ref(): string {
        throw new Error("unreadable");
      },
    };
    const { state, monitor } = watch("1:1", bad);
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
    const { state, open, monitor } = watch("1:1");
    state.found = "7:3";
    state.living = ["7:3"];
    await monitor.look();
    expect(state.numAdopted).toBe(0);
    expect(open.executor_ref).toBe("7:3");
  });

  it("gives an attempt up after five supervisors, and never while its worker lives", async () => {
    const { state, monitor } = watch("1:1");
    state.attempt = { kind: "orphaned", worker: "alive", exit: null };
    for (let look = 0; look < 7; look += 1) {
      await monitor.look();
      state.now += 5;
    }
    expect(state).toMatchObject({ numAdopted: 5, ended: [], orders: ["kill", "kill"] });
    state.attempt = GONE;
    await monitor.look();
    expect(state.ended).toHaveLength(1);
  });

  it("leaves a worker that gives way all the time that it has for that", async () => {
    const { state, monitor, open } = watch("1:1");
    state.living = ["1:1"];
    open.kill_at = state.now + YIELD_GRACE_S;
    await monitor.look();
    state.now += YIELD_GRACE_S - 1;
    await monitor.look();
    expect(state.orders).toEqual([]);
    state.now += 1;
    await monitor.look();
    expect(state.orders).toEqual(["terminate"]);
  });

  it("asks and kills a worker that was to end before the clock was set back", async () => {
    const { state, open, monitor } = watch("1:1");
    state.living = ["1:1"];
    open.kill_at = state.now + 60;
    await monitor.look();
    expect(state.orders).toEqual([]);
    state.now -= 3600;
    await monitor.look();
    expect(state.orders).toEqual(["terminate"]);
  });

  it("leaves an attempt alone that is being staged, for as long as that takes", async () => {
    const { state, monitor, open } = watch(null);
    state.isStarting = true;
    state.now += 3600;
    await monitor.look();
    expect(state.numPutBack).toBe(0);
    open.kill_at = 0;
    await monitor.look();
    expect(state.numStartsGivenUp).toBe(1);
  });
});

describe("a machine that does not answer", () => {
  /** The clock that nobody sets. */
  function stopwatch() {
    const spy = vi.spyOn(performance, "now");
    let atMs = 5_000;
    spy.mockImplementation(() => atMs);
    onTestFinished(() => spy.mockRestore());
    return {
      pass: (seconds: number) => {
        atMs += seconds * 1_000;
      },
    };
  }

  it("is told after three looks, and its attempt is lost after the executor's patience", async () => {
    const time = stopwatch();
    const { state, monitor } = watch("far");
    state.attempt = SILENT;
    await monitor.look();
    await monitor.look();
    expect(state.told).toEqual([]);
    await monitor.look();
    expect(state.told).toEqual([expect.stringContaining("does not answer (nobody at home)")]);
    time.pass(59);
    await monitor.look();
    expect(state.ended).toEqual([]);
    time.pass(1);
    await monitor.look();
    expect(state.ended[0]).toMatchObject({
      exit: { reason: "machine-lost", message: expect.stringContaining("for 60 s") },
      lastLines: ["its last line"],
    });
    expect(state.numGivenUp).toBe(1);
    expect(state.numAdopted).toBe(0);
  });

  it("is not lost by a clock that jumps, nor while its training is heard of", async () => {
    const time = stopwatch();
    const { state, monitor, open } = watch("far");
    state.attempt = SILENT;
    await monitor.look();
    state.now += 86_400;
    await monitor.look();
    for (let beat = 1; beat <= 5; beat++) {
      time.pass(50);
      open.heartbeat_at += 50;
      await monitor.look();
    }
    expect(state.ended).toEqual([]);
  });

  it("is told to be back", async () => {
    stopwatch();
    const { state, monitor } = watch("far");
    state.attempt = SILENT;
    for (let look = 0; look < 3; look++) await monitor.look();
    state.attempt = { kind: "running" };
    await monitor.look();
    await monitor.look();
    expect(state.told).toHaveLength(2);
    expect(state.told[1]).toContain("is back");
  });

  it("is not waited for by somebody who has stopped the job", async () => {
    stopwatch();
    const { state, monitor, open } = watch("far");
    state.attempt = SILENT;
    open.kill_at = 0;
    await monitor.look();
    expect(state.ended).toHaveLength(1);
  });
});
