// Brings the database and the machine before the plan: what waits, what runs, who had how much. Decides nothing itself.
import { type JobNeeds, ResourceWish, RunLimits } from "@spotter/contract";
import { Experience } from "./experience.ts";
import type { PlanStore } from "./plan-store.ts";
import { shareOf } from "./planning/free-room.ts";
import { type MachineConfig, needsOf } from "./planning/needs.ts";
import { plan } from "./planning/plan.ts";
import type { Machine, Needs, People, Plan, RunningJob, WaitingJob } from "./planning/types.ts";
import { LONGEST_PAUSE_S } from "./retries.ts";
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
  readonly store: PlanStore;
  /** Null while nobody knows yet whether there are GPUs. */
  readonly machine: () => MachineNow | null;
  readonly maxRunningPerPerson: number | null;
  /** Whether urgent trainings make others give way. */
  readonly mayPreempt: boolean;
  readonly now: () => number;
}

export interface Outlook {
  readonly machine: MachineNow;
  readonly decision: Plan;
  readonly running: ReadonlyMap<number, RunningJob>;
  readonly waiting: ReadonlyMap<number, { readonly row: JobRow; readonly job: WaitingJob }>;
  /** By job: all that run or wait, and those that others gave way to. */
  readonly projects: ReadonlyMap<number, number>;
}

export class Planner {
  readonly #parts: PlannerParts;
  readonly #experience: Experience;
  #lately: { readonly at: number; readonly shares: ReadonlyMap<number | null, number> } | undefined;

  constructor(parts: PlannerParts) {
    this.#parts = parts;
    this.#experience = new Experience(parts.store, parts.now);
  }

  get machine(): MachineNow | null {
    return this.#parts.machine();
  }

  /** What would start now, and why the rest waits; null while the machine is not known. */
  async look(queued: readonly JobRow[]): Promise<Outlook | null> {
    const { store, now, maxRunningPerPerson, mayPreempt } = this.#parts;
    const machine = this.machine;
    if (machine === null) return null;
    const open = await store.openTrainings();
    if (queued.length > 0) await this.#experience.refresh();
    const guess = (job: Pick<JobRow, "project_id" | "work">) =>
      queued.length === 0 ? null : this.#experience.lengthOf(job);
    const running = open.map((one) => runningJob(one, machine, guess(one)));
    const people: People = {
      lately: queued.length < 2 ? new Map() : await this.#latelyOf(machine),
      maxRunning: maxRunningPerPerson,
    };
    const left = await this.#left(queued);
    const waiting = queued.map((row) => ({
      row,
      job: waitingJob(row, needsOfRow(row, machine), left.get(row.id) ?? guess(row), now()),
    }));
    const jobs = waiting.map(({ job }) => job);
    return {
      machine,
      decision: plan(jobs, running, machine, people, now(), mayPreempt),
      running: new Map(running.map((job) => [job.id, job])),
      waiting: new Map(waiting.map((one) => [one.row.id, one])),
      projects: await this.#projects(open, queued),
    };
  }

  /** What those that have run before would still have taken, by their own last word. */
  async #left(queued: readonly JobRow[]): Promise<ReadonlyMap<number, number>> {
    const before = queued.filter((row) => row.current_attempt > 0).map(({ id }) => id);
    const left = new Map<number, number>();
    if (before.length === 0) return left;
    for (const {
      job_id: id,
      expected_end: end,
      ended_at: at,
    } of await this.#parts.store.lastAttempts(before))
      if (end !== null && at !== null) left.set(id, Math.max(0, end - at));
    return left;
  }

  async #projects(
    open: readonly OpenTraining[],
    queued: readonly JobRow[],
  ): Promise<ReadonlyMap<number, number>> {
    const known = new Map(open.map((one) => [one.job_id, one.project_id]));
    for (const row of queued) known.set(row.id, row.project_id);
    const others = [...open, ...queued].flatMap(({ preempted_by: by }) =>
      by === null || known.has(by) ? [] : [by],
    );
    for (const [id, projectId] of await this.#parts.store.projectsOf(others))
      known.set(id, projectId);
    return known;
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

type OpenTraining = Awaited<ReturnType<PlanStore["openTrainings"]>>[number];

function runningJob(open: OpenTraining, machine: Machine, guessedS: number | null): RunningJob {
  const granted = grantedOf(open.granted);
  const limitS = timeLimitOf(open);
  const latest = limitS === null ? null : open.started_at + limitS;
  // What a paused one told stands still while its time goes on; nobody knows when it is resumed.
  const isPaused = open.state === "paused";
  const told = isPaused ? null : open.expected_end;
  return {
    id: open.job_id,
    ownerId: open.owner_id,
    // Of before there were grants: such a training has all that it finds.
    needs: granted === null ? needsOfRow(open, machine) : fromWire(granted.needs),
    gpus: granted?.gpus ?? machine.gpus.map(({ index }) => index),
    endsAt: latest === null || told === null ? (told ?? latest) : Math.min(told, latest),
    guessedEnd: guessedS === null || isPaused ? null : open.started_at + guessedS,
    priority: open.priority,
    startedAt: open.started_at,
    canYield: canYield(open),
    isYielding: open.preempted_by !== null,
    numPreemptions: open.num_preemptions,
  };
}

/** Only where the same step is reached again bit for bit: recipes of ours, once they train. */
function canYield(open: OpenTraining): boolean {
  const isFree =
    open.state === "running" && open.stop_requested_at === null && open.restart_from === null;
  if (!isFree || open.yield_refused === 1 || open.run_ended === 1) return false;
  return open.work !== null && (JSON.parse(open.work) as JobWork).recipe !== "command";
}

function waitingJob(row: JobRow, needs: Needs, expectedS: number | null, now: number): WaitingJob {
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
    isPreempted: row.preempted_by !== null,
    goesBack: row.restart_from !== null,
    expectedS,
  };
}

/** Further ahead than the longest pause is only what was written before the clock was set back: it waits no more. */
function pauseEnd(notBefore: number | null, now: number): number | null {
  return notBefore !== null && notBefore - now > LONGEST_PAUSE_S ? null : notBefore;
}
