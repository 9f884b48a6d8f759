// How the queue looks to somebody: what runs and what waits, in order, why, until about when, and what they may change.
import {
  FINAL_STATES,
  type MachineFacts,
  PRIORITIES,
  type QueueEntry,
  type QueueView,
  type WaitsFor,
} from "@spotter/contract";
import type { Caller } from "../../platform/route.ts";
import {
  grantedOf,
  limitsOf,
  type MachineNow,
  needsOfRow,
  type Outlook,
  type Planner,
  toWire,
} from "./planner.ts";
import { lengthOf } from "./planning/forecast.ts";
import type { Waiting } from "./planning/types.ts";
import { checkpointStep, reasonToShow, withoutPast } from "./reasons.ts";
import type { QueueStore } from "./store.ts";
import type { JobRow } from "./tables.ts";

export class QueueViewer {
  readonly #store: QueueStore;
  readonly #planner: Planner;
  readonly #obstacle: () => string | null;
  readonly #now: () => number;

  constructor(parts: {
    store: QueueStore;
    planner: Planner;
    /** What keeps everything from starting; null: nothing. */
    obstacle: () => string | null;
    now: () => number;
  }) {
    this.#store = parts.store;
    this.#planner = parts.planner;
    this.#obstacle = parts.obstacle;
    this.#now = parts.now;
  }

  /** Positions and forecasts count everybody's jobs; shown are those of the caller's projects. */
  async view(caller: Caller): Promise<QueueView> {
    const store = this.#store;
    const [active, queued, open] = await Promise.all([
      store.activeJobs(),
      store.jobsInStates(["queued"]),
      store.openAttempts(),
    ]);
    const trainings = queued.filter(({ kind }) => kind === "train");
    const outlook = await this.#planner.look(trainings);
    const startedAt = new Map(open.map((attempt) => [attempt.job_id, attempt.started_at]));
    const running = active.map((row) => this.#running(row, outlook, startedAt, caller));
    const ending = (await this.#ended(open)).map((row) => ({
      ...this.#running(row, outlook, startedAt, caller),
      ...{ reason: null, ends_at: null },
    }));
    const waiting = [
      ...this.#waitingTrainings(trainings, outlook, caller),
      ...this.#waitingLight(queued, caller),
    ];
    const sees = ({ project_id: id }: QueueEntry) => caller.isAdmin || caller.roles.has(id);
    return {
      time: this.#now(),
      machine: outlook === null ? null : toFacts(outlook.machine),
      running: running.filter(sees),
      ending: ending.filter(sees),
      waiting: waiting.filter(sees),
      has_pinned: trainings.some(({ pinned }) => pinned !== null),
      may_reorder_all: caller.isAdmin,
    };
  }

  /** Trainings whose result stands, while their processes still end. */
  async #ended(open: Awaited<ReturnType<QueueStore["openAttempts"]>>): Promise<JobRow[]> {
    const ids = open
      .filter(({ kind, job_state: state }) => kind === "train" && FINAL_STATES.includes(state))
      .map(({ job_id: id }) => id);
    const rows = await Promise.all(ids.map((id) => this.#store.job(id)));
    return rows.filter((row) => row !== undefined);
  }

  #running(
    row: JobRow,
    outlook: Outlook | null,
    startedAt: ReadonlyMap<number, number>,
    caller: Caller,
  ): QueueEntry {
    const sees = seenBy(caller, outlook);
    const granted = grantedOf(row.granted);
    const machine = outlook?.machine ?? null;
    const isTraining = row.kind === "train";
    const needs = granted?.needs ?? (machine === null ? null : toWire(needsOfRow(row, machine)));
    return {
      ...commonOf(row, caller),
      position: null,
      needs: isTraining ? needs : null,
      gpus: [...(granted?.gpus ?? [])],
      reason: row.reason,
      waits_for: null,
      preempted: preemptedOf(row, sees, null),
      started_at: startedAt.get(row.id) ?? row.started_at,
      starts_at: null,
      ends_at: outlook?.running.get(row.id)?.endsAt ?? null,
    };
  }

  #waitingTrainings(
    trainings: readonly JobRow[],
    outlook: Outlook | null,
    caller: Caller,
  ): QueueEntry[] {
    const obstacle = this.#obstacle();
    const sees = seenBy(caller, outlook);
    const told = new Map(
      outlook?.decision.waiting.map((waiting) => [
        waiting.id,
        { ...waiting, why: withoutPast(waiting.why, this.#now()) },
      ]),
    );
    return inPlannedOrder(trainings, outlook).map((row, index) => {
      const waiting = told.get(row.id);
      const found = outlook?.waiting.get(row.id);
      const startsAt = obstacle === null ? (waiting?.startsAt ?? null) : null;
      const seconds = found === undefined ? Infinity : lengthOf(found.job);
      const place = index + 1;
      return {
        ...commonOf(row, caller),
        position: place,
        needs: found === undefined ? null : toWire(found.job.needs),
        gpus: [],
        reason:
          obstacle ??
          (waiting === undefined ? null : reasonToShow(row, { ...waiting, place }, sees)),
        waits_for: obstacle !== null || waiting === undefined ? null : toWaitsFor(waiting, sees),
        preempted: preemptedOf(row, sees, checkpointStep(row)),
        started_at: null,
        starts_at: startsAt,
        ends_at: startsAt === null || seconds === Infinity ? null : startsAt + seconds,
      };
    });
  }

  #waitingLight(queued: readonly JobRow[], caller: Caller): QueueEntry[] {
    return (["predict", "preflight"] as const).flatMap((kind) =>
      queued
        .filter((row) => row.kind === kind)
        .map((row, index) => ({
          ...commonOf(row, caller),
          position: index + 1,
          needs: null,
          gpus: [],
          reason: row.reason,
          waits_for: { ...NO_FACTS, kind: "line" as const },
          preempted: null,
          started_at: null,
          starts_at: null,
          ends_at: null,
        })),
    );
  }
}

/** Those that start at the next pass first, then the rest as planned. */
function inPlannedOrder(trainings: readonly JobRow[], outlook: Outlook | null): JobRow[] {
  if (outlook === null) return [...trainings];
  const { starts, waiting } = outlook.decision;
  const ids = [...starts, ...waiting].map(({ id }) => id);
  const rows = new Map(trainings.map((row) => [row.id, row]));
  return ids.flatMap((id) => rows.get(id) ?? []);
}

function commonOf(row: JobRow, caller: Caller) {
  return {
    job_id: row.id,
    kind: row.kind,
    name: row.name,
    project_id: row.project_id,
    owner_id: row.owner_id,
    owner_name: row.owner_name,
    state: row.state,
    priority: row.priority,
    limits: limitsOf(row),
    attempt: row.current_attempt,
    created_at: row.created_at,
    queued_at: row.queued_at ?? row.created_at,
    may: {
      reorder: row.kind === "train" && row.state === "queued" && mayMove(row, caller),
      highest_priority: row.kind === "train" ? highestPriority(row, caller) : null,
      cancel: row.state === "queued" && mayCancel(row, caller),
    },
  };
}

/** Whoever may control the project's runs. */
export function mayCancel({ project_id: id }: Pick<JobRow, "project_id">, caller: Caller): boolean {
  const role = caller.isAdmin ? "admin" : caller.roles.get(id);
  return role === "admin" || role === "member";
}

/** One's own as member; other people's as the project's admin. */
export function mayMove(row: Pick<JobRow, "project_id" | "owner_id">, caller: Caller): boolean {
  const role = caller.isAdmin ? "admin" : caller.roles.get(row.project_id);
  return role === "admin" || (role === "member" && row.owner_id === caller.userId);
}

/** The highest class that the caller may give to a job; null: none. */
export function highestPriority(
  row: Pick<JobRow, "project_id" | "owner_id" | "state">,
  caller: Caller,
): number | null {
  if (FINAL_STATES.includes(row.state) || !mayMove(row, caller)) return null;
  const isAdmin = caller.isAdmin || caller.roles.get(row.project_id) === "admin";
  return isAdmin ? PRIORITIES.urgent : PRIORITIES.normal;
}

/** Whether the caller is in the project of a job. */
function seenBy(caller: Caller, outlook: Outlook | null): (jobId: number) => boolean {
  return (jobId) => {
    const projectId = outlook?.projects.get(jobId);
    return projectId !== undefined && (caller.isAdmin || caller.roles.has(projectId));
  };
}

function preemptedOf(
  { preempted_by: by }: Pick<JobRow, "preempted_by">,
  sees: (jobId: number) => boolean,
  step: number | null,
): QueueEntry["preempted"] {
  return by === null ? null : { by: sees(by) ? by : null, step };
}

const NO_FACTS = {
  ...{ resource: null, needed: null, there: null, until: null },
  ...{ holders: [], hidden_holders: 0, unknown: null },
};

/** Jobs that the caller may not see are counted, not named. */
function toWaitsFor(
  { why, startsAt, unknown: whose }: Waiting,
  sees: (jobId: number) => boolean,
): WaitsFor {
  const unknown = whose !== null && sees(whose) ? whose : null;
  const named = (ids: readonly number[]) => {
    const holders = ids.filter(sees);
    return { holders, hidden_holders: ids.length - holders.length, unknown };
  };
  switch (why.kind) {
    case "resource": {
      const there = why.resource === "disk" ? why.free : null;
      const { resource, needed, until } = why;
      return { kind: "resource", resource, needed, there, ...named(why.holders), until };
    }
    case "behind": {
      const { resource, needed } = why;
      return {
        ...NO_FACTS,
        kind: "behind",
        resource,
        needed,
        ...named(why.ahead),
        until: startsAt,
      };
    }
    case "turn":
      return { ...NO_FACTS, kind: "turn", ...named([why.first]), until: why.until };
    case "never":
      return {
        ...{ ...NO_FACTS, kind: "never", resource: why.resource },
        ...{ needed: why.needed, there: why.has },
      };
    case "quota":
      return { ...NO_FACTS, kind: "quota", there: why.running };
    case "retry":
      return { ...NO_FACTS, kind: "retry", until: why.until };
  }
}

function toFacts(machine: MachineNow): MachineFacts {
  return {
    gpus: machine.gpus.map(({ index, name, memoryGib }) => ({
      index,
      name,
      memory_gib: memoryGib,
    })),
    cpu_cores: machine.cpuCores,
    memory_gib: machine.memoryGib,
    disk_free_gib: machine.diskFreeGib,
  };
}
