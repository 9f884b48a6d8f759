// Brings the database and the machine before the plan: what waits, what runs, who had how much. Decides nothing itself.
import { type JobNeeds, ResourceWish, RunLimits } from "@spotter/contract";
import { shareOf } from "./planning/free-room.ts";
import { type MachineConfig, needsOf } from "./planning/needs.ts";
import { plan } from "./planning/plan.ts";
import type { Machine, Needs, People, Plan, RunningJob, WaitingJob } from "./planning/types.ts";
import { LONGEST_PAUSE_S } from "./retries.ts";
import type { QueueStore } from "./store.ts";
import type { Granted, JobRow, JobWork } from "./tables.ts";

/** Who had the machine "lately". */
const LATELY_S = 86_400;
/** What people had changes slowly, and adding it up reads a day of attempts. */
const REMEMBER_LATELY_S = 30;

export interface MachineNow extends Machine {
  readonly gpus: readonly {
    readonly index: number;
    readonly name: string;
    readonly memoryGib: number;
  }[];
}

export interface PlannerParts {
  readonly store: QueueStore;
  /** Null while nobody knows yet whether there are GPUs. */
  readonly machine: () => MachineNow | null;
  readonly maxRunningPerPerson: number | null;
  readonly now: () => number;
}

export interface Outlook {
  readonly machine: MachineNow;
  readonly decision: Plan;
  readonly running: ReadonlyMap<number, RunningJob>;
  readonly waiting: ReadonlyMap<number, { readonly row: JobRow; readonly needs: Needs }>;
}

export class Planner {
  readonly #parts: PlannerParts;
  #lately: { readonly at: number; readonly shares: ReadonlyMap<number | null, number> } | undefined;

  constructor(parts: PlannerParts) {
    this.#parts = parts;
  }

  get machine(): MachineNow | null {
    return this.#parts.machine();
  }

  /** What would start now, and why the rest waits; null while the machine is not known. */
  async look(queued: readonly JobRow[]): Promise<Outlook | null> {
    const { store, now, maxRunningPerPerson } = this.#parts;
    const machine = this.machine;
    if (machine === null) return null;
    const running = (await store.openTrainings()).map((open) => runningJob(open, machine));
    const waiting = queued.map((row) => ({ row, needs: needsOfRow(row, machine) }));
    const people: People = {
      lately: waiting.length < 2 ? new Map() : await this.#latelyOf(machine),
      maxRunning: maxRunningPerPerson,
    };
    const jobs = waiting.map(({ row, needs }) => waitingJob(row, needs, now()));
    return {
      machine,
      decision: plan(jobs, running, machine, people, now()),
      running: new Map(running.map((job) => [job.id, job])),
      waiting: new Map(waiting.map((job) => [job.row.id, job])),
    };
  }

  async #latelyOf(machine: Machine): Promise<ReadonlyMap<number | null, number>> {
    const { store, now } = this.#parts;
    const time = now();
    const known = this.#lately;
    if (known !== undefined && time >= known.at && time - known.at < REMEMBER_LATELY_S)
      return known.shares;
    const shares = new Map<number | null, number>();
    for (const used of await store.attemptsSince(time - LATELY_S)) {
      const seconds = (used.ended_at ?? time) - Math.max(used.started_at, time - LATELY_S);
      const granted = grantedOf(used.granted);
      const share = granted === null ? 1 : shareOf(fromWire(granted.needs), machine);
      const before = shares.get(used.owner_id) ?? 0;
      shares.set(used.owner_id, before + (Math.max(0, seconds) * share) / LATELY_S);
    }
    this.#lately = { at: time, shares };
    return shares;
  }
}

/** What a training would hold on this machine. */
export function needsOfRow(row: Pick<JobRow, "wish" | "work">, machine: Machine): Needs {
  return needsOf(wishOf(row), configOf(row) as MachineConfig, machine);
}

function configOf({ work }: Pick<JobRow, "work">): JobWork["config"] {
  return work === null ? {} : (JSON.parse(work) as JobWork).config;
}

export function wishOf({ wish }: Pick<JobRow, "wish">): ResourceWish {
  return wish === null ? {} : ResourceWish.parse(JSON.parse(wish));
}

export function limitsOf({ limits }: Pick<JobRow, "limits">): RunLimits {
  return limits === null ? {} : RunLimits.parse(JSON.parse(limits));
}

export function grantedOf(granted: string | null): Granted | null {
  return granted === null ? null : (JSON.parse(granted) as Granted);
}

/** How long an attempt takes at most: its own limit, or that of a command run's program. */
export function timeLimitOf(row: Pick<JobRow, "limits" | "work">): number | null {
  const own = limitsOf(row).time_s ?? null;
  const minutes = configOf(row).time_limit_minutes;
  const ofProgram = typeof minutes === "number" ? minutes * 60 : null;
  if (own === null || ofProgram === null) return own ?? ofProgram;
  return Math.min(own, ofProgram);
}

export function toWire(needs: Needs): JobNeeds {
  return {
    gpus: needs.gpus,
    gpu_memory_gib: needs.gpuMemoryGib,
    cpu_cores: needs.cpuCores,
    memory_gib: needs.memoryGib,
    disk_gib: needs.diskGib,
  };
}

function fromWire(needs: JobNeeds): Needs {
  return {
    gpus: needs.gpus,
    gpuMemoryGib: needs.gpu_memory_gib,
    cpuCores: needs.cpu_cores,
    memoryGib: needs.memory_gib,
    diskGib: needs.disk_gib,
  };
}

type OpenTraining = Awaited<ReturnType<QueueStore["openTrainings"]>>[number];

function runningJob(open: OpenTraining, machine: Machine): RunningJob {
  const granted = grantedOf(open.granted);
  const limitS = timeLimitOf(open);
  const latest = limitS === null ? null : open.started_at + limitS;
  const told = open.expected_end;
  return {
    id: open.job_id,
    ownerId: open.owner_id,
    // Of before there were grants: such a training has all that it finds.
    needs: granted === null ? needsOfRow(open, machine) : fromWire(granted.needs),
    gpus: granted?.gpus ?? machine.gpus.map(({ index }) => index),
    endsAt: latest === null || told === null ? (told ?? latest) : Math.min(told, latest),
  };
}

function waitingJob(row: JobRow, needs: Needs, now: number): WaitingJob {
  return {
    id: row.id,
    ownerId: row.owner_id,
    priority: row.priority,
    place: row.place ?? row.id,
    pinned: row.pinned,
    needs,
    limitS: timeLimitOf(row),
    queuedAt: row.queued_at ?? row.created_at,
    notBefore: pauseEnd(row.not_before, now),
  };
}

/** Further ahead than the longest pause is only what was written before the clock was set back: it waits no more. */
function pauseEnd(notBefore: number | null, now: number): number | null {
  return notBefore !== null && notBefore - now > LONGEST_PAUSE_S ? null : notBefore;
}
