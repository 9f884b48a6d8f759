// About when each waiting job starts, if everybody keeps to what is known of them and nobody overtakes.
import { FreeRoom } from "./free-room.ts";
import type { Machine, RunningJob, Waiting, WaitingJob, Why } from "./types.ts";

/** Beyond that a forecast says nothing any more, and costs. */
const MAX_FORECAST = 50;

export function forecast(
  waiting: readonly { readonly job: WaitingJob; readonly why: Why }[],
  busy: readonly RunningJob[],
  machine: Machine,
  now: number,
): Waiting[] {
  const room = FreeRoom.of(machine, busy);
  let held = busy.map((job) => ({ ...job, endsAt: job.endsAt ?? Number.POSITIVE_INFINITY }));
  let time = now;
  let isKnown = true;
  return waiting.map(({ job, why }, index) => {
    if (index >= MAX_FORECAST || !isKnown) return { id: job.id, why, startsAt: null };
    if (why.kind === "never" || why.kind === "quota" || isDisk(why))
      return { id: job.id, why, startsAt: null };
    let gpus = room.place(job.needs);
    while (gpus === null) {
      const next = held.reduce((least, { endsAt }) => Math.min(least, endsAt), Infinity);
      if (next === Infinity) {
        isKnown = false;
        return { id: job.id, why, startsAt: null };
      }
      for (const done of held.filter(({ endsAt }) => endsAt <= next))
        room.giveBack(done.needs, done.gpus);
      held = held.filter(({ endsAt }) => endsAt > next);
      time = Math.max(time, next);
      gpus = room.place(job.needs);
    }
    const startsAt = why.kind === "retry" ? Math.max(time, why.until) : time;
    room.take(job.needs, gpus);
    const { id, ownerId, needs } = job;
    held.push({
      id,
      ownerId,
      needs,
      gpus,
      endsAt: job.limitS === null ? Infinity : startsAt + job.limitS,
    });
    return { id, why, startsAt };
  });
}

function isDisk(why: Why): boolean {
  return why.kind === "resource" && why.resource === "disk";
}
