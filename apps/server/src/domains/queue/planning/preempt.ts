// Which running jobs give way to an urgent one. Only the urgent class pre-empts and nothing pre-empts the urgent, so no
// chain of pre-emptions can arise; each job gives way a few times at most, so none can be kept from its end by it.
import { FreeRoom } from "./free-room.ts";
import type { Machine, Needs, RunningJob, WaitingJob } from "./types.ts";

/** `PRIORITIES.urgent` of the contract, which plans know nothing else of. */
export const URGENT = 2;
/** What becomes free by itself so soon after the urgent one came is waited for: giving way costs a new start. */
const PATIENCE_S = 60;
/** One that came back from giving way is left alone for so long. */
export const GUARD_S = 600;
export const MAX_PREEMPTIONS = 3;
/** For reservations and forecasts: so long a checkpoint and the end of a process take, as a rule. */
const YIELDS_IN_S = 30;

/** Whether room is still to be made for anybody; where not, those that were asked to give way may stay. */
export function isRoomWanted(waiting: readonly Pick<WaitingJob, "priority">[]): boolean {
  return waiting.some(({ priority }) => priority >= URGENT);
}

/** What urgent jobs that cannot start have been promised of the room that is to become free. */
export class Promises {
  readonly #machine: Machine;
  readonly #promised: Needs[] = [];
  #isBlocked = false;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** While room is made for an urgent job nobody below takes a part of it. */
  get areOpen(): boolean {
    return this.#promised.length > 0;
  }

  /**
   * The jobs that give way to this one, the fewest that suffice; none where room comes by itself, or where even all that
   * can would not make enough.
   */
  victimsFor(job: WaitingJob, busy: readonly RunningJob[], now: number): readonly RunningJob[] {
    // What the first of them waits for must not be taken by a later one.
    if (job.priority < URGENT || this.#isBlocked) return [];
    const room = this.#roomToCome(busy);
    if (this.#promise(room, job)) return [];
    const isSoon = fitsBy(job, room, busy) <= job.queuedAt + PATIENCE_S;
    const candidates = busy.filter((other) => mayYield(other, now));
    const victims = isSoon ? [] : fewest(job, room, candidates);
    this.#isBlocked = victims.length === 0;
    if (victims.length > 0) this.#promised.push(job.needs);
    return victims;
  }

  #promise(room: FreeRoom, { needs }: WaitingJob): boolean {
    const fits = room.place(needs) !== null;
    if (fits) this.#promised.push(needs);
    return fits;
  }

  /** Free once all that yield have done so, without what is promised already. */
  #roomToCome(busy: readonly RunningJob[]): FreeRoom {
    const room = FreeRoom.of(
      this.#machine,
      busy.filter(({ isYielding }) => !isYielding),
    );
    for (const needs of this.#promised) room.take(needs, room.place(needs) ?? []);
    return room;
  }
}

/** As the plan goes on with it: its room comes back soon. */
export function yielding(job: RunningJob, now: number): RunningJob {
  const soon = now + YIELDS_IN_S;
  return { ...job, isYielding: true, endsAt: Math.min(job.endsAt ?? soon, soon) };
}

/** When it fits without anybody's giving way, by what is known of those that run. */
function fitsBy({ needs }: WaitingJob, free: FreeRoom, busy: readonly RunningJob[]): number {
  const room = free.copy();
  const ending = busy
    .filter(({ isYielding, endsAt }) => !isYielding && endsAt !== null)
    .sort((a, b) => (a.endsAt ?? 0) - (b.endsAt ?? 0));
  for (const job of ending) {
    room.giveBack(job.needs, job.gpus);
    if (room.place(needs) !== null) return job.endsAt ?? Infinity;
  }
  return Infinity;
}

function mayYield(job: RunningJob, now: number): boolean {
  const { canYield, isYielding, priority, numPreemptions, startedAt } = job;
  if (!canYield || isYielding || priority >= URGENT || numPreemptions >= MAX_PREEMPTIONS)
    return false;
  return numPreemptions === 0 || now - startedAt >= GUARD_S;
}

/** The least urgent first, then who gave way least often, then the youngest; none that would not be missed. */
function fewest(job: WaitingJob, free: FreeRoom, candidates: readonly RunningJob[]): RunningJob[] {
  const cheapest = [...candidates].sort(
    (a, b) =>
      a.priority - b.priority ||
      a.numPreemptions - b.numPreemptions ||
      b.startedAt - a.startedAt ||
      b.id - a.id,
  );
  const fitsWithout = (victims: readonly RunningJob[]) => {
    const room = free.copy();
    for (const { needs, gpus } of victims) room.giveBack(needs, gpus);
    return room.place(job.needs) !== null;
  };
  const enough = cheapest.findIndex((_, index) => fitsWithout(cheapest.slice(0, index + 1)));
  if (enough < 0) return [];
  // The dearest are spared first; the last one was what made it fit.
  return cheapest.slice(0, enough + 1).reduceRight<RunningJob[]>(
    (kept, victim) => {
      const others = kept.filter((other) => other !== victim);
      return fitsWithout(others) ? others : kept;
    },
    cheapest.slice(0, enough + 1),
  );
}
