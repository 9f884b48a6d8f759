// A day of a thousand jobs on eight GPUs, under a clock of our own.
import { describe, expect, it } from "vitest";
import { inOrder } from "./order.ts";
import { plan } from "./plan.ts";
import type { Machine, People, RunningJob, WaitingJob } from "./types.ts";

const NUM_JOBS = 1_000;
const DAY_S = 86_400;
const machine: Machine = {
  gpus: Array.from({ length: 8 }, (_, index) => ({ index, memoryGib: 80 })),
  cpuCores: 64,
  memoryGib: 512,
  diskFreeGib: 4_000,
};

interface DayJob extends WaitingJob {
  readonly arrivesAt: number;
  readonly durationS: number;
}

/** The same numbers on every machine: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function makeDay(seed: number): DayJob[] {
  const random = randomFrom(seed);
  const pick = <T>(of: readonly T[]) => of[Math.floor(random() * of.length)] as T;
  const times = Array.from({ length: NUM_JOBS }, () => random() * DAY_S).sort((a, b) => a - b);
  return times.map((arrivesAt, index) => {
    const gpus = pick([1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 8]);
    const durationS = 60 + random() ** 3 * 1_120;
    return {
      ...{ id: index + 1, ownerId: pick([1, 2, 3, 4, 5]), place: index + 1, pinned: null },
      priority: pick([-1, 0, 0, 0, 0, 1, 2]),
      needs: { gpus, gpuMemoryGib: null, cpuCores: gpus * 8, memoryGib: gpus * 60, diskGib: 1 },
      // People guess too high.
      limitS: durationS * (1 + 2 * random()),
      ...{ notBefore: null, queuedAt: arrivesAt, arrivesAt, durationS },
    };
  });
}

/** When the first in line would start; `isOvertaken`: all that started now stood behind it. */
interface Promised {
  readonly id: number;
  readonly at: number | null;
  readonly isOvertaken: boolean;
}

interface Outcome {
  readonly startedAt: ReadonlyMap<number, number>;
  readonly endedAt: number;
}

/** Plays the day; `look` sees every decision. */
function play(
  jobs: readonly DayJob[],
  look: (running: readonly RunningJob[]) => void,
  promised: (first: Promised | undefined) => void,
): Outcome {
  const arriving = [...jobs];
  let waiting: DayJob[] = [];
  let running: (RunningJob & { readonly doneAt: number })[] = [];
  const startedAt = new Map<number, number>();
  const people: People = { lately: new Map(), maxRunning: null };
  let now = 0;
  while (arriving.length + waiting.length + running.length > 0) {
    now = Math.min(arriving[0]?.arrivesAt ?? Infinity, ...running.map(({ doneAt }) => doneAt));
    while (arriving[0] !== undefined && arriving[0].arrivesAt <= now)
      waiting.push(arriving.shift() as DayJob);
    running = running.filter(({ doneAt }) => doneAt > now);
    const order = inOrder(waiting, running, machine, people, now).map(({ id }) => id);
    const decision = plan(waiting, running, machine, people, now);
    for (const { id, gpus } of decision.starts) {
      const job = waiting.find((other) => other.id === id) as DayJob;
      startedAt.set(id, now);
      const endsAt = now + (job.limitS as number);
      running.push({ ...job, gpus, endsAt, doneAt: now + job.durationS });
    }
    waiting = waiting.filter(({ id }) => !startedAt.has(id));
    const first = decision.waiting[0];
    const isAhead = ({ id }: { id: number }) => order.indexOf(id) < order.indexOf(first?.id ?? 0);
    const isOvertaken = !decision.starts.some(isAhead);
    promised(first === undefined ? undefined : { id: first.id, at: first.startsAt, isOvertaken });
    look(running);
  }
  return { startedAt, endedAt: now };
}

/** No schedule of these jobs ends earlier, even one that knew all of them before. */
function offlineBound(jobs: readonly DayJob[]): number {
  const work = (job: DayJob) => job.needs.gpus * job.durationS;
  return Math.max(
    ...jobs.map((first) => {
      const later = jobs.filter(({ arrivesAt }) => arrivesAt >= first.arrivesAt);
      return first.arrivesAt + later.reduce((sum, job) => sum + work(job), 0) / 8;
    }),
    ...jobs.map(({ arrivesAt, durationS }) => arrivesAt + durationS),
  );
}

describe("a day of a thousand jobs on eight GPUs", () => {
  it.each([1, 2, 3])("ends fairly, fully used and in order (seed %i)", (seed) => {
    const jobs = makeDay(seed);
    let first: Promised | undefined;
    const outcome = play(
      jobs,
      (running) => {
        const taken = running.flatMap(({ gpus }) => gpus);
        expect(new Set(taken).size).toBe(taken.length);
        const sum = (key: "cpuCores" | "memoryGib") =>
          running.reduce((total, { needs }) => total + needs[key], 0);
        expect(sum("cpuCores")).toBeLessThanOrEqual(machine.cpuCores);
        expect(sum("memoryGib")).toBeLessThanOrEqual(machine.memoryGib);
      },
      // What overtakes never delays the first in line: while it is first, its time only comes nearer.
      (next) => {
        if (next?.isOvertaken && next.id === first?.id)
          expect(next.at ?? 0).toBeLessThanOrEqual((first.at ?? 0) + 1e-6);
        first = next;
      },
    );
    expect(outcome.startedAt.size).toBe(NUM_JOBS);

    const waits = (priority: number) =>
      jobs
        .filter((job) => job.priority === priority)
        .map((job) => (outcome.startedAt.get(job.id) as number) - job.arrivesAt);
    const mean = (values: number[]) =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(waits(2))).toBeLessThan(mean(waits(0)));
    expect(mean(waits(0))).toBeLessThan(mean(waits(-1)));
    // Nobody starves, though more work came than the day holds.
    for (const priority of [2, 1, 0, -1])
      expect(Math.max(...waits(priority))).toBeLessThan(DAY_S / 2);
    const bound = offlineBound(jobs);
    expect(outcome.endedAt).toBeLessThanOrEqual(1.1 * bound);
  });
});
