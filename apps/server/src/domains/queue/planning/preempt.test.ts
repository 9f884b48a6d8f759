// Who gives way to whom: rule by rule, and whatever the machine and the queue look like.
import { describe, expect, it } from "vitest";
import { FreeRoom } from "./free-room.ts";
import { plan } from "./plan.ts";
import { GUARD_S, isRoomWanted, MAX_PREEMPTIONS, URGENT } from "./preempt.ts";
import { randomFrom } from "./seeded-random.ts";
import type { Machine, Needs, People, RunningJob, WaitingJob } from "./types.ts";

const NOW = 1_000_000;
const machine: Machine = {
  gpus: [0, 1, 2, 3].map((index) => ({ index, memoryGib: 80 })),
  ...{ cpuCores: 16, memoryGib: 128, diskFreeGib: 500 },
};
const nobody: People = { lately: new Map(), maxRunning: null };
const needs = (gpus: number, change: Partial<Needs> = {}): Needs => ({
  ...{ gpus, gpuMemoryGib: null, cpuCores: gpus, memoryGib: gpus, diskGib: 0 },
  ...change,
});
function waits(id: number, gpus: number, change: Partial<WaitingJob> = {}): WaitingJob {
  return {
    ...{ id, ownerId: 1, priority: URGENT, place: id, pinned: null, needs: needs(gpus) },
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
function runs(id: number, gpus: number[], change: Partial<RunningJob> = {}): RunningJob {
  return {
    ...{ id, ownerId: 9, gpus, endsAt: null, guessedEnd: null, priority: 0 },
    ...{ startedAt: NOW - 100 * id, canYield: true, isYielding: false, numPreemptions: 0 },
    needs: needs(gpus.length),
    ...change,
  };
}
const decide = (waiting: WaitingJob[], running: RunningJob[], mayPreempt = true, now = NOW) =>
  plan(waiting, running, machine, nobody, now, mayPreempt);
const victims = (waiting: WaitingJob[], running: RunningJob[], now = NOW) =>
  decide(waiting, running, true, now).preemptions.map(({ victim }) => victim);

const FULL = [runs(1, [0]), runs(2, [1]), runs(3, [2, 3])];

it("room is wanted for as long as anybody urgent waits, whatever for", () => {
  expect(isRoomWanted([])).toBe(false);
  expect(isRoomWanted([waits(10, 1, { priority: URGENT - 1 })])).toBe(false);
  expect(isRoomWanted([waits(10, 1), waits(11, 1, { priority: 0 })])).toBe(true);
  expect(isRoomWanted([waits(10, 1, { notBefore: NOW + 60 })])).toBe(true);
});

describe("an urgent job", () => {
  it("makes the youngest give way, and no more of them than it needs", () => {
    expect(decide([waits(10, 1)], FULL).preemptions).toEqual([{ victim: 1, by: 10 }]);
    expect(victims([waits(10, 2)], FULL)).toEqual([1, 2]);
    // The third alone suffices once the first two do not: they are spared.
    expect(victims([waits(10, 2)], [runs(1, [0]), runs(2, [1, 2, 3])])).toEqual([2]);
    expect(victims([waits(10, 4)], FULL).sort()).toEqual([1, 2, 3]);
  });

  it("takes the least urgent first, then who gave way least often", () => {
    const low = runs(3, [2, 3], { priority: -1 });
    expect(victims([waits(10, 1)], [FULL[0] as RunningJob, FULL[1] as RunningJob, low])).toEqual([
      3,
    ]);
    const often = runs(1, [0], { numPreemptions: 1, startedAt: NOW - GUARD_S });
    expect(victims([waits(10, 1)], [often, ...FULL.slice(1)])).toEqual([2]);
  });

  it("asks nobody where that is switched off, would not suffice, or is not needed", () => {
    expect(decide([waits(10, 1)], FULL, false).preemptions).toEqual([]);
    const stuck = [runs(1, [0, 1], { canYield: false }), runs(2, [2, 3])];
    expect(victims([waits(10, 3)], stuck)).toEqual([]);
    // A smaller one behind it does not take what the first will need.
    expect(victims([waits(10, 3), waits(11, 1)], stuck)).toEqual([]);
    expect(victims([waits(10, 1)], [runs(1, [0])])).toEqual([]);
    expect(victims([waits(10, 1, { needs: needs(1, { diskGib: 900 }) })], FULL)).toEqual([]);
  });

  it("leaves alone the urgent, those that just came back, and those that gave way often", () => {
    const all = (change: Partial<RunningJob>) =>
      [0, 1, 2, 3].map((index) => runs(index + 1, [index], change));
    expect(victims([waits(10, 1)], all({ priority: URGENT }))).toEqual([]);
    const back = { numPreemptions: 1, startedAt: NOW - GUARD_S + 1 };
    expect(victims([waits(10, 1)], all(back))).toEqual([]);
    expect(victims([waits(10, 1)], all(back), NOW + 1)).toHaveLength(1);
    const often = { numPreemptions: MAX_PREEMPTIONS, startedAt: NOW - 90_000 };
    expect(victims([waits(10, 1)], all(often))).toEqual([]);
  });

  it("waits a moment for what ends by itself, and no longer", () => {
    const ending = [runs(1, [0], { endsAt: NOW + 40 }), ...FULL.slice(1)];
    expect(victims([waits(10, 1)], ending)).toEqual([]);
    const overdue = [runs(1, [0], { endsAt: NOW + 100 }), ...FULL.slice(1)];
    expect(victims([waits(10, 1)], overdue)).toHaveLength(1);
    expect(victims([waits(10, 1, { queuedAt: NOW - 60 })], ending)).toHaveLength(1);
  });

  it("asks nobody twice, and keeps what becomes free from others", () => {
    const asked = [runs(1, [0], { isYielding: true }), ...FULL.slice(1)];
    const first = decide([waits(10, 1), waits(11, 0, { priority: 1 })], asked);
    expect(first.preemptions).toEqual([]);
    expect(first.starts).toEqual([]);
    expect(first.waiting[0]).toMatchObject({ id: 10, startsAt: NOW + 30 });
    expect(first.waiting[1]?.why).toEqual({ kind: "turn", first: 10, until: NOW + 30 });
    expect(victims([waits(10, 1), waits(11, 1)], asked)).toEqual([2]);
  });
});

describe("whoever gave way", () => {
  it("goes before all others of its class, by age, and after those of a higher one", () => {
    const waiting = [
      waits(4, 1, { priority: 0, pinned: 1 }),
      waits(5, 1, { priority: 0, isPreempted: true, ownerId: 9 }),
      waits(3, 1, { priority: 0, isPreempted: true, ownerId: 8 }),
      waits(6, 1, { priority: 1 }),
    ];
    expect(decide(waiting, []).starts.map(({ id }) => id)).toEqual([6, 3, 5, 4]);
  });

  it("never makes anybody give way itself", () => {
    for (const priority of [-1, 0, 1])
      expect(victims([waits(10, 1, { priority, isPreempted: true, queuedAt: 0 })], FULL)).toEqual(
        [],
      );
  });
});

describe("whatever runs and waits", () => {
  it("makes room for the urgent by the fewest, who may all be asked (2,000 machines)", () => {
    const random = randomFrom(7);
    const pick = <T>(of: readonly T[]) => of[Math.floor(random() * of.length)] as T;
    let numAsked = 0;
    for (let round = 0; round < 2_000; round++) {
      const running = someRunning(pick);
      const waiting = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, index) =>
        waits(100 + index, pick([0, 1, 1, 2, 4]), {
          ...{ priority: pick([-1, 0, 1, URGENT, URGENT]), ownerId: pick([1, 2, 3]) },
          queuedAt: NOW - pick([0, 30, 90, 40_000]),
        }),
      );
      const { starts, preemptions } = decide(waiting, running);
      const asked = running.filter(({ id }) => preemptions.some(({ victim }) => victim === id));
      numAsked += asked.length;
      expect(asked).toHaveLength(preemptions.length);
      for (const job of asked) expectMayBeAsked(job);
      for (const { by } of preemptions)
        expect(waiting.find(({ id }) => id === by)?.priority).toBe(URGENT);
      const urgent = waiting.filter(({ id }) => preemptions.some(({ by }) => by === id));
      const begun = starts.map(({ id, gpus }) => ({
        needs: (waiting.find((job) => job.id === id) as WaitingJob).needs,
        gpus,
      }));
      // Nothing is given out twice, and once all have given way there is room for whom they were asked for.
      const allFit = (spared: RunningJob | null) => {
        const held = running.filter(
          (job) => job === spared || !(asked.includes(job) || job.isYielding),
        );
        const room = FreeRoom.of(machine, [...held, ...begun]);
        return urgent.every((job) => {
          const gpus = room.place(job.needs);
          if (gpus !== null) room.take(job.needs, gpus);
          return gpus !== null;
        });
      };
      expect(allFit(null)).toBe(true);
      if (urgent.length === 1 && urgentWaiting(waiting, starts) === 1)
        for (const job of asked) expect(allFit(job)).toBe(false);
    }
    expect(numAsked).toBeGreaterThan(150);
  });
});

function urgentWaiting(waiting: readonly WaitingJob[], starts: readonly { id: number }[]): number {
  return waiting.filter((job) => job.priority === URGENT && !starts.some(({ id }) => id === job.id))
    .length;
}

function expectMayBeAsked(job: RunningJob): void {
  expect(job).toMatchObject({ canYield: true, isYielding: false });
  expect(job.priority).toBeLessThan(URGENT);
  expect(job.numPreemptions).toBeLessThan(MAX_PREEMPTIONS);
  if (job.numPreemptions > 0) expect(NOW - job.startedAt).toBeGreaterThanOrEqual(GUARD_S);
}

function someRunning(pick: <T>(of: readonly T[]) => T): RunningJob[] {
  const free = [0, 1, 2, 3];
  const running: RunningJob[] = [];
  while (free.length > 0 && running.length < 4) {
    const gpus = free.splice(0, pick([1, 1, 2, 3]));
    if (pick([true, true, true, false]))
      running.push(
        runs(running.length + 1, gpus, {
          ...{ priority: pick([-1, 0, 1, URGENT]), canYield: pick([true, true, true, false]) },
          ...{ isYielding: pick([false, false, false, false, true]) },
          ...{ numPreemptions: pick([0, 0, 1, MAX_PREEMPTIONS]) },
          startedAt: NOW - pick([10, GUARD_S - 1, GUARD_S, 5_000]),
          endsAt: pick([null, null, NOW + 20, NOW + 5_000]),
        }),
      );
  }
  return running;
}
