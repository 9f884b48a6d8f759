// The scheduling decision, one rule after the other. The day of a thousand jobs is in `plan-day.test.ts`.
import { describe, expect, it } from "vitest";
import { plan } from "./plan.ts";
import { sentenceOfWhy } from "./sentences.ts";
import type { Machine, Needs, People, RunningJob, WaitingJob } from "./types.ts";

const NOW = 1_000_000;
const machine: Machine = {
  gpus: [0, 1, 2, 3].map((index) => ({ index, memoryGib: 80 })),
  cpuCores: 16,
  memoryGib: 128,
  diskFreeGib: 500,
};
const nobody: People = { lately: new Map(), maxRunning: null };

function needs(change: Partial<Needs> = {}): Needs {
  return { gpus: 1, gpuMemoryGib: null, cpuCores: 1, memoryGib: 1, diskGib: 0, ...change };
}
function waits(id: number, change: Partial<WaitingJob> = {}): WaitingJob {
  return {
    ...{ id, ownerId: 1, priority: 0, place: id, pinned: null, needs: needs() },
    ...{
      limitS: null,
      notBefore: null,
      queuedAt: NOW,
      isPreempted: false,
      goesBack: false,
      expectedS: null,
    },
    ...change,
  };
}
function runs(id: number, gpus: number[], endsAt: number | null, change: Partial<Needs> = {}) {
  const job: RunningJob = {
    ...{ id, ownerId: 9, gpus, endsAt, guessedEnd: null, priority: 0, startedAt: NOW - 3600 },
    ...{ canYield: false, isYielding: false, numPreemptions: 0 },
    needs: needs({ gpus: gpus.length, ...change }),
  };
  return job;
}
const decide = (waiting: WaitingJob[], running: RunningJob[] = [], people = nobody, on = machine) =>
  plan(waiting, running, on, people, NOW);
const started = (decision: ReturnType<typeof decide>) => decision.starts.map(({ id }) => id);
const why = (decision: ReturnType<typeof decide>, id: number) =>
  decision.waiting.find((job) => job.id === id)?.why;

describe("the plan", () => {
  it("starts as many as fit, each on GPUs of its own", () => {
    const decision = decide([1, 2, 3, 4, 5].map((id) => waits(id)));
    expect(decision.starts).toEqual([1, 2, 3, 4].map((id) => ({ id, gpus: [id - 1] })));
    expect(decision.waiting.map(({ id }) => id)).toEqual([5]);
  });

  it("goes by priority, then by who held least, then by age", () => {
    const people = { ...nobody, lately: new Map([[1, 0.5]]) };
    const waiting = [
      waits(1),
      waits(2),
      waits(3, { ownerId: 2 }),
      waits(4, { ownerId: 2 }),
      waits(5, { priority: 1 }),
    ];
    expect(started(decide(waiting, [], people))).toEqual([5, 3, 4, 1]);
    // Job 5 was of person 1, so person 2 has the next turn.
    expect(started(decide(waiting))).toEqual([5, 3, 1, 4]);
    const alike = [waits(1), waits(2), waits(3, { ownerId: 2 }), waits(4, { ownerId: 2 })];
    expect(started(decide(alike))).toEqual([1, 3, 2, 4]);
  });

  it("puts first what an administrator put first, inside its class only", () => {
    const waiting = [waits(1), waits(2), waits(3, { pinned: 1 }), waits(4, { priority: 1 })];
    expect(started(decide(waiting))).toEqual([4, 3, 1, 2]);
  });

  it("starts what only goes back to a checkpoint before all others, whatever their class", () => {
    const urgent = waits(1, { priority: 2, needs: needs({ gpus: 4 }) });
    const high = waits(2, { priority: 1, pinned: 1, needs: needs({ gpus: 4 }) });
    const back = waits(3, { priority: -1, goesBack: true, needs: needs({ gpus: 4 }) });
    expect(started(decide([urgent, high, back]))).toEqual([3]);
  });

  it("lifts what has waited long by a class, and never among the urgent", () => {
    const long = { queuedAt: NOW - 7 * 3600 };
    const low = waits(1, { priority: -1, ...long });
    expect(started(decide([low, waits(2, { ownerId: 2 })]))).toEqual([1, 2]);
    const order = [waits(3, { priority: 1, queuedAt: 0 }), waits(4, { priority: 2 })];
    expect(started(decide(order))).toEqual([4, 3]);
  });

  it("lets the owner's own order stand among the owner's jobs", () => {
    expect(started(decide([waits(1, { place: 2 }), waits(2, { place: 1 })]))).toEqual([2, 1]);
  });

  it("fills a gap with a job that ends in time, and not with one that would not", () => {
    const running = [runs(1, [0, 1], NOW + 600), runs(2, [2], NOW + 300)];
    const big = waits(10, { needs: needs({ gpus: 4 }) });
    const decision = decide(
      [big, waits(11, { limitS: 900 }), waits(12, { limitS: 500 }), waits(13)],
      running,
    );
    expect(started(decision)).toEqual([12]);
    expect(why(decision, 11)).toEqual({ kind: "turn", first: 10, until: NOW + 600 });
    expect(decision.waiting.map(({ id, startsAt }) => [id, startsAt])).toEqual([
      [10, NOW + 600],
      [11, null],
      [13, null],
    ]);
  });

  it("fills a gap beside the first in line with what that does not need", () => {
    const running = [runs(1, [0, 1, 2, 3], null, { cpuCores: 4 })];
    const waiting = [
      waits(10, { needs: needs({ gpus: 1, cpuCores: 4 }) }),
      waits(11, { needs: needs({ gpus: 0, cpuCores: 8 }) }),
      waits(12, { needs: needs({ gpus: 0, cpuCores: 4 }) }),
    ];
    const decision = decide(waiting, running);
    expect(started(decision)).toEqual([11]);
    expect(why(decision, 12)).toMatchObject({ kind: "turn", first: 10, until: null });
  });

  it("lets jobs that told their GPU memory share a GPU, the fullest that suffices", () => {
    const share = (gib: number) => needs({ gpuMemoryGib: gib });
    const decision = decide([
      waits(1, { needs: share(30) }),
      waits(2, { needs: share(40) }),
      waits(3, { needs: share(30) }),
      waits(4, { needs: needs({ gpus: 2 }) }),
    ]);
    expect(decision.starts.map(({ gpus }) => gpus)).toEqual([[0], [0], [1], [2, 3]]);
  });

  it("never gives out more of anything than there is", () => {
    const decision = decide([
      waits(1, { needs: needs({ gpus: 0, cpuCores: 10 }) }),
      waits(2, { needs: needs({ gpus: 0, cpuCores: 10 }) }),
      waits(3, { needs: needs({ gpus: 0, memoryGib: 127.5 }) }),
    ]);
    expect(started(decision)).toEqual([1]);
    expect(why(decision, 2)).toMatchObject({ resource: "cpu_cores", holders: [1] });
  });

  it("keeps a person to the quota, and lets the next one by", () => {
    const people = { ...nobody, maxRunning: 1 };
    const decision = decide([waits(1), waits(2), waits(3, { ownerId: 2 })], [], people);
    expect(started(decision)).toEqual([1, 3]);
    expect(why(decision, 2)).toEqual({ kind: "quota", running: 1 });
  });

  it("holds no place for a job that pauses after a lost attempt, lacks disk, or can never start", () => {
    const decision = decide([
      waits(1, { notBefore: NOW + 60, needs: needs({ gpus: 4 }) }),
      waits(2, { needs: needs({ gpus: 4, diskGib: 501 }) }),
      waits(3, { needs: needs({ gpus: 5 }) }),
      waits(4),
    ]);
    expect(started(decision)).toEqual([4]);
    expect(why(decision, 1)).toEqual({ kind: "retry", until: NOW + 60 });
    expect(why(decision, 2)).toMatchObject({ resource: "disk", needed: 501, free: 500 });
    expect(why(decision, 3)).toEqual({ kind: "never", resource: "gpus", needed: 5, has: 4 });
  });

  it("says why in one sentence", () => {
    const clock = () => "14:20";
    const running = [runs(12, [0, 1, 2, 3], NOW + 60)];
    const say = (job: Partial<WaitingJob>, with_: RunningJob[] = running) => {
      const reason = why(decide([waits(50, job)], with_), 50);
      return reason === undefined ? null : sentenceOfWhy(reason, { clock, sees: () => true });
    };
    expect(say({})).toBe("Needs 1 GPU; run 12 holds it until about 14:20.");
    const two = [runs(1, [0, 1], null), runs(2, [2, 3], null)];
    expect(say({ needs: needs({ gpus: 4 }) }, two)).toBe("Needs 4 GPUs; runs 1, 2 hold them.");
    expect(say({ needs: needs({ gpus: 3 }) }, [runs(1, [0, 1], null), runs(2, [2], null)])).toBe(
      "Needs 3 GPUs; run 1 holds them.",
    );
    expect(say({ needs: needs({ gpus: 9 }) })).toBe("Needs 9 GPUs; this machine has 4.");
    expect(say({ needs: needs({ gpus: 0, diskGib: 600 }) })).toBe(
      "Needs 600 GiB of free disk; 500.0 GiB are free.",
    );
    expect(say({ notBefore: NOW + 60 })).toBe(
      "Its last attempt was lost; it is tried again at about 14:20.",
    );
  });
});
