// A day of a thousand jobs on eight GPUs, under a clock of our own.
import { describe, expect, it } from "vitest";
import { inOrder } from "./order.ts";
import { plan } from "./plan.ts";
import { GUARD_S, MAX_PREEMPTIONS } from "./preempt.ts";
import { randomFrom } from "./seeded-random.ts";
import type { Machine, People, Plan, RunningJob, WaitingJob } from "./types.ts";

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
      ...{ isPreempted: false, goesBack: false, expectedS: null },
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
  readonly numPreemptions: ReadonlyMap<number, number>;
  /** Seconds that each has really trained. */
  readonly trainedS: ReadonlyMap<number, number>;
}

interface Going extends RunningJob {
  readonly doneAt: number;
  /** Gives everything back then, and waits again. */
  readonly yieldsAt: number | null;
  readonly job: DayJob;
}

/** So long a victim takes to save its state; within what the plan counts with. */
const yieldS = (id: number) => 5 + (id % 25);

/** Plays the day; `look` sees every decision. */
function play(
  jobs: readonly DayJob[],
  look: (running: readonly RunningJob[], now: number, decision: Plan) => void,
  promised: (first: Promised | undefined) => void,
  mayPreempt = false,
): Outcome {
  const arriving = [...jobs];
  let waiting: DayJob[] = [];
  let running: Going[] = [];
  const startedAt = new Map<number, number>();
  const numPreemptions = new Map<number, number>();
  const trainedS = new Map<number, number>();
  const people: People = { lately: new Map(), maxRunning: null };
  let now = 0;
  const leave = (going: Going) => {
    const trained = Math.min(now, going.doneAt) - going.startedAt;
    trainedS.set(going.id, (trainedS.get(going.id) ?? 0) + trained);
    if (now >= going.doneAt) return;
    numPreemptions.set(going.id, going.numPreemptions + 1);
    const durationS = going.doneAt - now;
    waiting.push({ ...going.job, durationS, queuedAt: now, isPreempted: true });
  };
  while (arriving.length + waiting.length + running.length > 0) {
    const ends = running.map(({ doneAt, yieldsAt }) => Math.min(doneAt, yieldsAt ?? Infinity));
    now = Math.min(arriving[0]?.arrivesAt ?? Infinity, ...ends);
    while (arriving[0] !== undefined && arriving[0].arrivesAt <= now)
      waiting.push(arriving.shift() as DayJob);
    const gone = running.filter((job) => Math.min(job.doneAt, job.yieldsAt ?? Infinity) <= now);
    running = running.filter((job) => !gone.includes(job));
    for (const going of gone) leave(going);
    const order = inOrder(waiting, running, machine, people, now).map(({ id }) => id);
    const decision = plan(waiting, running, machine, people, now, mayPreempt);
    look(running, now, decision);
    for (const { victim } of decision.preemptions)
      running = running.map((job) =>
        job.id === victim ? { ...job, isYielding: true, yieldsAt: now + yieldS(victim) } : job,
      );
    const begun = new Set(decision.starts.map(({ id }) => id));
    for (const { id, gpus } of decision.starts) {
      const job = waiting.find((other) => other.id === id) as DayJob;
      if (!startedAt.has(id)) startedAt.set(id, now);
      const endsAt = now + (job.limitS as number);
      running.push({
        ...{ id, ownerId: job.ownerId, needs: job.needs, gpus, endsAt, guessedEnd: null },
        ...{ priority: job.priority, startedAt: now, canYield: mayPreempt, isYielding: false },
        numPreemptions: numPreemptions.get(id) ?? 0,
        ...{ doneAt: now + job.durationS, yieldsAt: null, job },
      });
    }
    waiting = waiting.filter(({ id }) => !begun.has(id));
    const first = decision.waiting[0];
    const isAhead = ({ id }: { id: number }) => order.indexOf(id) < order.indexOf(first?.id ?? 0);
    const isOvertaken = !decision.starts.some(isAhead);
    promised(first === undefined ? undefined : { id: first.id, at: first.startsAt, isOvertaken });
    requireNoneTwice(running);
  }
  return { startedAt, endedAt: now, numPreemptions, trainedS };
}

function requireNoneTwice(running: readonly RunningJob[]): void {
  const taken = running.flatMap(({ gpus }) => gpus);
  expect(new Set(taken).size).toBe(taken.length);
  const sum = (key: "cpuCores" | "memoryGib") =>
    running.reduce((total, { needs }) => total + needs[key], 0);
  expect(sum("cpuCores")).toBeLessThanOrEqual(machine.cpuCores);
  expect(sum("memoryGib")).toBeLessThanOrEqual(machine.memoryGib);
}

const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function waitsOf(jobs: readonly DayJob[], outcome: Outcome, priority: number): number[] {
  return jobs
    .filter((job) => job.priority === priority)
    .map((job) => (outcome.startedAt.get(job.id) as number) - job.arrivesAt);
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
      () => undefined,
      // What overtakes never delays the first in line: while it is first, its time only comes nearer.
      (next) => {
        if (next?.isOvertaken && next.id === first?.id)
          expect(next.at ?? 0).toBeLessThanOrEqual((first.at ?? 0) + 1e-6);
        first = next;
      },
    );
    expect(outcome.startedAt.size).toBe(NUM_JOBS);

    const waits = (priority: number) => waitsOf(jobs, outcome, priority);
    expect(mean(waits(2))).toBeLessThan(mean(waits(0)));
    expect(mean(waits(0))).toBeLessThan(mean(waits(-1)));
    // Nobody starves, though more work came than the day holds.
    for (const priority of [2, 1, 0, -1])
      expect(Math.max(...waits(priority))).toBeLessThan(DAY_S / 2);
    const bound = offlineBound(jobs);
    expect(outcome.endedAt).toBeLessThanOrEqual(1.1 * bound);
  });

  it.each([1, 2])("lets the urgent go first, at little cost to the rest (seed %i)", (seed) => {
    const jobs = makeDay(seed);
    const patient = play(
      jobs,
      () => undefined,
      () => undefined,
    );
    const priorities = new Map(jobs.map(({ id, priority }) => [id, priority]));
    let numAsked = 0;
    const outcome = play(
      jobs,
      (running, now, { preemptions }) => {
        numAsked += preemptions.length;
        for (const { victim, by } of preemptions) {
          const job = running.find(({ id }) => id === victim);
          if (job === undefined) throw new Error(`run ${victim} gives way and does not run`);
          expect(priorities.get(by)).toBe(2);
          expect(job.priority).toBeLessThan(2);
          expect(job.isYielding).toBe(false);
          if (job.numPreemptions > 0) expect(now - job.startedAt).toBeGreaterThanOrEqual(GUARD_S);
        }
      },
      () => undefined,
      true,
    );
    expect(numAsked).toBeGreaterThan(10);
    // Every job ends, having trained all that it had to: nothing is lost, nothing is done twice.
    expect(outcome.startedAt.size).toBe(NUM_JOBS);
    for (const job of jobs) expect(outcome.trainedS.get(job.id)).toBeCloseTo(job.durationS, 3);
    expect(Math.max(...outcome.numPreemptions.values())).toBeLessThanOrEqual(MAX_PREEMPTIONS);
    expect(mean(waitsOf(jobs, outcome, 2))).toBeLessThan(mean(waitsOf(jobs, patient, 2)) / 2);
    // Nobody starves, though more work came than the day holds and the urgent never wait.
    for (const priority of [1, 0, -1])
      expect(Math.max(...waitsOf(jobs, outcome, priority))).toBeLessThan(0.6 * DAY_S);
    expect(outcome.endedAt).toBeLessThanOrEqual(1.1 * offlineBound(jobs));
  });
});
