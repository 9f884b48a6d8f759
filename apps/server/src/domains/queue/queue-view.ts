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
  timeLimitOf,
  toWire,
} from "./planner.ts";
import { sentenceOfWhy } from "./planning/sentences.ts";
import type { Waiting, Why } from "./planning/types.ts";
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
    const waiting = [
      ...this.#waitingTrainings(trainings, outlook, caller),
      ...this.#waitingLight(queued, caller),
    ];
    const sees = ({ project_id: id }: QueueEntry) => caller.isAdmin || caller.roles.has(id);
    return {
      time: this.#now(),
      machine: outlook === null ? null : toFacts(outlook.machine),
      running: running.filter(sees),
      waiting: waiting.filter(sees),
      may_reorder_all: caller.isAdmin,
    };
  }

  #running(
    row: JobRow,
    outlook: Outlook | null,
    startedAt: ReadonlyMap<number, number>,
    caller: Caller,
  ): QueueEntry {
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
    const told = new Map(outlook?.decision.waiting.map((waiting) => [waiting.id, waiting]));
    return inPlannedOrder(trainings, outlook).map((row, index) => {
      const waiting = told.get(row.id);
      const needs = outlook?.waiting.get(row.id)?.needs;
      const limitS = timeLimitOf(row);
      const startsAt = obstacle === null ? (waiting?.startsAt ?? null) : null;
      return {
        ...commonOf(row, caller),
        position: index + 1,
        needs: needs === undefined ? null : toWire(needs),
        gpus: [],
        reason: obstacle ?? this.#reason(row, waiting),
        waits_for: obstacle !== null || waiting === undefined ? null : toWaitsFor(waiting.why),
        started_at: null,
        starts_at: startsAt,
        ends_at: startsAt === null || limitS === null ? null : startsAt + limitS,
      };
    });
  }

  #reason(row: JobRow, waiting: Waiting | undefined): string | null {
    if (waiting === undefined) return null;
    if (waiting.why.kind === "retry" && row.reason !== null) return row.reason;
    return sentenceOfWhy(waiting.why, clockTime);
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
    },
  };
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

const NO_FACTS = { resource: null, needed: null, there: null, holders: [], until: null };

function toWaitsFor(why: Why): WaitsFor {
  switch (why.kind) {
    case "resource": {
      const there = why.resource === "disk" ? why.free : null;
      const { resource, needed, until } = why;
      return { kind: "resource", resource, needed, there, holders: [...why.holders], until };
    }
    case "turn":
      return { ...NO_FACTS, kind: "turn", holders: [why.first], until: why.until };
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

/** `14:20`, by the server's own clock; pages and the command line write `until` in their reader's time. */
function clockTime(time: number): string {
  return new Date(time * 1000).toTimeString().slice(0, 5);
}
