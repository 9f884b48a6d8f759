// About when each waiting job starts, if everybody keeps to what is known or guessed of them and nobody overtakes.
import { FreeRoom } from "./free-room.ts";
import type { Machine, RunningJob, Waiting, WaitingJob, Why } from "./types.ts";

/** Beyond that a forecast says nothing any more, and costs. */
const MAX_FORECAST = 50;

interface Held extends Pick<RunningJob, "id" | "needs" | "gpus"> {
  readonly until: number;
}

export function forecast(
  waiting: readonly { readonly job: WaitingJob; readonly why: Why }[],
  busy: readonly RunningJob[],
  machine: Machine,
  now: number,
): Waiting[] {
  const room = FreeRoom.of(machine, busy);
  let held: Held[] = busy.map((job) => ({ ...job, until: untilOf(job, now) }));
  let time = now;
  let unknown: number | null = null;
  return waiting.map(({ job, why }, index) => {
    const unforeseen = { id: job.id, why, startsAt: null, unknown: null };
    if (why.kind === "never" || why.kind === "quota" || isDisk(why)) return unforeseen;
    if (unknown !== null) return { ...unforeseen, unknown };
    if (index >= MAX_FORECAST) return unforeseen;
    let gpus = room.place(job.needs);
    while (gpus === null) {
      const next = held.reduce((least, { until }) => Math.min(least, until), Infinity);
      if (next === Infinity) {
        unknown = blamed(job, held);
        return { ...unforeseen, unknown };
      }
      for (const done of held.filter(({ until }) => until <= next))
        room.giveBack(done.needs, done.gpus);
      held = held.filter(({ until }) => until > next);
      time = Math.max(time, next);
      gpus = room.place(job.needs);
    }
    const startsAt = why.kind === "retry" ? Math.max(time, why.until) : time;
    room.take(job.needs, gpus);
    held.push({ id: job.id, needs: job.needs, gpus, until: startsAt + lengthOf(job) });
    return { id: job.id, why, startsAt, unknown: null };
  });
}

/** How long it runs: what it takes by experience, at most its limit. */
export function lengthOf({ limitS, expectedS }: Pick<WaitingJob, "limitS" | "expectedS">): number {
  return Math.min(limitS ?? Infinity, expectedS ?? Infinity);
}

/** A guess that the job has outlived says nothing any more. */
function untilOf({ endsAt, guessedEnd }: RunningJob, now: number): number {
  return endsAt ?? (guessedEnd !== null && guessedEnd > now ? guessedEnd : Infinity);
}

/** The first of those without an end that holds something of what is needed. */
function blamed({ id, needs }: WaitingJob, held: readonly Held[]): number {
  const endless = held.filter(({ until }) => until === Infinity);
  const holder = endless.find((other) => needs.gpus === 0 || other.needs.gpus > 0) ?? endless[0];
  return holder?.id ?? id;
}

function isDisk(why: Why): boolean {
  return why.kind === "resource" && why.resource === "disk";
}
