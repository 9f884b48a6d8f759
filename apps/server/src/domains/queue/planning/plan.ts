// The scheduling decision: which waiting jobs start now, and why each of the others waits. Whoever is first in line and
// does not fit gets a reservation; what stands behind it may fill gaps, but never delay it (EASY back-fill).

import { forecast } from "./forecast.ts";
import { FreeRoom } from "./free-room.ts";
import { inOrder } from "./order.ts";
import { Promises, URGENT, yielding } from "./preempt.ts";
import type {
  Machine,
  Needs,
  People,
  Plan,
  Preemption,
  Resource,
  RunningJob,
  Start,
  WaitingJob,
  Why,
} from "./types.ts";

/** The first in line: from when on it fits, and what is free then; a null time says that nobody knows. */
interface Reservation {
  readonly job: WaitingJob;
  readonly at: number | null;
  readonly room: FreeRoom;
}

/** @param mayPreempt whether urgent jobs may make others give way */
export function plan(
  waiting: readonly WaitingJob[],
  running: readonly RunningJob[],
  machine: Machine,
  people: People,
  now: number,
  mayPreempt = true,
): Plan {
  const empty = FreeRoom.of(machine, []);
  const room = FreeRoom.of(machine, running);
  let busy = running.map((job) => (job.isYielding ? yielding(job, now) : job));
  const starts: Start[] = [];
  const preemptions: Preemption[] = [];
  const reasons: { job: WaitingJob; why: Why }[] = [];
  const promises = new Promises(machine);
  let reservation: Reservation | null = null;

  for (const job of inOrder(waiting, running, machine, people, now)) {
    const hindrance = hindranceOf(job, empty, room, machine, people, busy, now);
    if (hindrance !== null) {
      reasons.push({ job, why: hindrance });
      continue;
    }
    const gpus = room.place(job.needs);
    if (gpus === null) {
      const victims = mayPreempt ? promises.victimsFor(job, busy, now) : [];
      preemptions.push(...victims.map(({ id }) => ({ victim: id, by: job.id })));
      busy = busy.map((other) => (victims.includes(other) ? yielding(other, now) : other));
      const shortage = shortageOf(job.needs, room, busy, now);
      const why = behindOthers(job.needs, shortage, room, busy, reasons) ?? shortage;
      reservation ??= reserve(job, room, busy, now);
      reasons.push({ job, why });
    } else if (promises.areOpen && job.priority < URGENT) {
      reasons.push({ job, why: turnOf(reservation) });
    } else if (reservation === null || mayOvertake(job, gpus, reservation, room, now)) {
      room.take(job.needs, gpus);
      busy = [...busy, started(job, gpus, now)];
      starts.push({ id: job.id, gpus });
    } else {
      reasons.push({ job, why: turnOf(reservation) });
    }
  }
  return { starts, preemptions, waiting: forecast(reasons, busy, machine, now) };
}

function turnOf(reservation: Reservation | null): Why {
  if (reservation === null) throw new Error("nobody is first in line, but somebody waits for that");
  return { kind: "turn", first: reservation.job.id, until: reservation.at };
}

function started(job: WaitingJob, gpus: readonly number[], now: number): RunningJob {
  const { id, ownerId, needs, limitS, priority } = job;
  return {
    ...{ id, ownerId, needs, gpus, priority, startedAt: now },
    endsAt: limitS === null ? null : now + limitS,
    guessedEnd: job.expectedS === null ? null : now + job.expectedS,
    ...{ canYield: false, isYielding: false, numPreemptions: 0 },
  };
}

/** What keeps a job back whatever the others do; it holds no place in line meanwhile. */
function hindranceOf(
  job: WaitingJob,
  empty: FreeRoom,
  room: FreeRoom,
  machine: Machine,
  { maxRunning }: People,
  busy: readonly RunningJob[],
  now: number,
): Why | null {
  const withoutDisk = { ...job.needs, diskGib: 0 };
  const missing = empty.shortage(withoutDisk);
  if (missing !== null)
    return {
      ...{ kind: "never", resource: missing },
      ...{ needed: amountOf(job.needs, missing), has: capacityOf(machine, job.needs, missing) },
    };
  if (job.notBefore !== null && job.notBefore > now) return { kind: "retry", until: job.notBefore };
  const own = busy.filter(({ ownerId }) => ownerId === job.ownerId).length;
  if (maxRunning !== null && own >= maxRunning) return { kind: "quota", running: own };
  // No job's end gives disk back: a reservation on it would stop everybody for ever.
  if (room.shortage({ ...NOTHING, diskGib: job.needs.diskGib }) === null) return null;
  return {
    ...{ kind: "resource", resource: "disk", needed: job.needs.diskGib },
    ...{ holders: [], until: null, free: Math.max(0, room.diskGib) },
  };
}

type Shortage = Extract<Why, { kind: "resource" }>;

function shortageOf(
  needs: Needs,
  room: FreeRoom,
  busy: readonly RunningJob[],
  now: number,
): Shortage {
  const resource = room.shortage(needs) ?? "cpu_cores";
  const later = room.copy();
  const holders: number[] = [];
  for (const job of byEnd(busy)) {
    if (amountOf(job.needs, resource) > 0) holders.push(job.id);
    later.giveBack(job.needs, job.gpus);
    if (later.shortage(needs) === null)
      return {
        ...{ kind: "resource", resource, needed: amountOf(needs, resource), holders, free: 0 },
        until: job.endsAt === null ? null : Math.max(now, job.endsAt),
      };
  }
  const needed = amountOf(needs, resource);
  return { kind: "resource", resource, needed, holders, until: null, free: 0 };
}

/** Where those in front that wait for room too would take what it needs: naming who holds it now would mislead. */
function behindOthers(
  needs: Needs,
  { resource, needed, holders }: Shortage,
  room: FreeRoom,
  busy: readonly RunningJob[],
  reasons: readonly { readonly job: WaitingJob; readonly why: Why }[],
): Why | null {
  const later = room.copy();
  for (const holder of busy)
    if (holders.includes(holder.id)) later.giveBack(holder.needs, holder.gpus);
  const ahead: number[] = [];
  let isKept = false;
  for (const { job, why } of reasons) {
    if (why.kind !== "resource" && why.kind !== "behind" && why.kind !== "turn") continue;
    const gpus = later.place(job.needs);
    if (gpus !== null) later.take(job.needs, gpus);
    if (amountOf(job.needs, resource) === 0) continue;
    ahead.push(job.id);
    isKept ||= gpus === null;
  }
  const fits = !isKept && later.shortage(needs) === null;
  return fits || ahead.length === 0 ? null : { kind: "behind", resource, needed, ahead };
}

function reserve(
  job: WaitingJob,
  room: FreeRoom,
  busy: readonly RunningJob[],
  now: number,
): Reservation {
  const later = room.copy();
  for (const holder of byEnd(busy)) {
    if (holder.endsAt === null) break;
    later.giveBack(holder.needs, holder.gpus);
    if (later.shortage(job.needs) === null)
      return { job, at: Math.max(now, holder.endsAt), room: later };
  }
  return { job, at: null, room: later };
}

function mayOvertake(
  job: WaitingJob,
  gpus: readonly number[],
  first: Reservation,
  room: FreeRoom,
  now: number,
): boolean {
  if (first.at === null) return room.leavesRoom(first.job.needs, job.needs, gpus);
  if (job.limitS !== null && now + job.limitS <= first.at) return true;
  const then = first.room.copy();
  then.take(job.needs, gpus);
  if (then.shortage(first.job.needs) !== null) return false;
  // It will still be there: the next one that asks finds so much less.
  first.room.take(job.needs, gpus);
  return true;
}

function byEnd(busy: readonly RunningJob[]): RunningJob[] {
  const endOf = ({ endsAt }: RunningJob) => endsAt ?? Number.POSITIVE_INFINITY;
  return [...busy].sort((a, b) => (endOf(a) === endOf(b) ? a.id - b.id : endOf(a) - endOf(b)));
}

const NOTHING: Needs = { gpus: 0, gpuMemoryGib: null, cpuCores: 0, memoryGib: 0, diskGib: 0 };

function amountOf(needs: Needs, resource: Resource): number {
  if (resource === "gpus") return needs.gpus;
  if (resource === "gpu_memory") return needs.gpuMemoryGib ?? (needs.gpus > 0 ? needs.gpus : 0);
  if (resource === "cpu_cores") return needs.cpuCores;
  return resource === "memory" ? needs.memoryGib : needs.diskGib;
}

function capacityOf(machine: Machine, needs: Needs, resource: Resource): number {
  if (resource === "gpus") return machine.gpus.length;
  if (resource === "gpu_memory")
    return machine.gpus.length < needs.gpus
      ? 0
      : Math.max(0, ...machine.gpus.map(({ memoryGib }) => memoryGib));
  return resource === "memory" ? machine.memoryGib : machine.cpuCores;
}
