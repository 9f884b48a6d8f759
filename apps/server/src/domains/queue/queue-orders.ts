// What people do to the queue: put it into another order, make a training more or less urgent.
import { FINAL_STATES, type ResourceWish } from "@spotter/contract";
import type { AuditRecorder } from "../../platform/audit.ts";
import { SpotterError } from "../../platform/errors.ts";
import type { Caller } from "../../platform/route.ts";
import {
  jobEnded,
  jobNotFound,
  priorityNotAllowed,
  queueOrderInvalid,
  resourcesNotThere,
} from "./errors.ts";
import type { JobChanges } from "./job-changes.ts";
import type { Planner } from "./planner.ts";
import { FreeRoom } from "./planning/free-room.ts";
import { type MachineConfig, needsOf } from "./planning/needs.ts";
import { plan } from "./planning/plan.ts";
import { sentenceOfWhy } from "./planning/sentences.ts";
import { highestPriority, mayMove } from "./queue-view.ts";
import type { QueueStore, QueueTransaction } from "./store.ts";
import type { JobRow } from "./tables.ts";

const WORDS: Readonly<Record<number, string>> = {
  "-1": "low",
  0: "normal",
  1: "high",
  2: "urgent",
};

export class QueueOrders {
  readonly #store: QueueStore;
  readonly #changes: JobChanges;
  readonly #planner: Planner;
  readonly #audit: AuditRecorder;

  constructor(parts: {
    store: QueueStore;
    changes: JobChanges;
    planner: Planner;
    audit: AuditRecorder;
  }) {
    this.#store = parts.store;
    this.#changes = parts.changes;
    this.#planner = parts.planner;
    this.#audit = parts.audit;
  }

  /** Throws `job-not-found`, `role-too-low`, `queue-order-invalid`. */
  async reorder(jobIds: readonly number[], caller: Caller, address: string): Promise<void> {
    if (new Set(jobIds).size < jobIds.length)
      throw queueOrderInvalid("A training is named twice; name each once.");
    // All in one transaction: of two orders at once the second counts from what the first has made.
    await this.#changes.change(async (transaction) => {
      const waiting = await this.#store.lockQueuedTrainings(transaction);
      const rows: JobRow[] = [];
      for (const id of jobIds) rows.push(await movable(transaction, id, waiting, caller));
      const changed: number[] = [];
      for (const { id, ...change } of newPlaces(rows, waiting, caller))
        if (await this.#store.updateJob(transaction, id, ["queued"], change)) changed.push(id);
      return changed;
    });
    await this.#audit.record({
      userId: caller.userId,
      userName: caller.userName,
      action: "queue-reordered",
      subjectKind: "queue",
      address,
      details: { job_ids: [...jobIds] },
    });
  }

  /** Throws `job-ended`, `priority-not-allowed`. */
  async setPriority(row: JobRow, priority: number, caller: Caller, address: string): Promise<void> {
    if (row.kind !== "train") throw jobNotFound(row.id);
    if (FINAL_STATES.includes(row.state)) throw jobEnded(row.id, row.state);
    this.requirePriority(row, priority, caller);
    if (row.priority === priority) return;
    await this.#changes.change(async (transaction) => {
      // Where an administrator put it was a place in its old class.
      const change = { priority, pinned: null };
      const isChanged = await this.#store.updateJob(transaction, row.id, [row.state], change);
      return isChanged ? [row.id] : [];
    });
    await this.#audit.record({
      userId: caller.userId,
      userName: caller.userName,
      action: "priority-changed",
      subjectKind: "run",
      subjectId: row.id,
      projectId: row.project_id,
      address,
      details: { from: row.priority, to: priority },
    });
  }

  /** Whether the caller may give a job this class: throws `priority-not-allowed`. */
  requirePriority(
    row: Pick<JobRow, "project_id" | "owner_id" | "state">,
    priority: number,
    caller: Caller,
  ): void {
    const highest = highestPriority(row, caller);
    if (highest === null)
      throw priorityNotAllowed(
        "The training is another person's; an administrator of the project may change it.",
      );
    if (priority > highest)
      throw priorityNotAllowed(
        `Only an administrator of the project may make a training ${WORDS[priority]}; yours may be ${WORDS[highest]} or low.`,
      );
  }

  /** Throws `resources-not-there` for what could never start here. */
  requireFits(wish: ResourceWish, config: MachineConfig): void {
    const machine = this.#planner.machine;
    if (machine === null) return;
    const needs = needsOf(wish, config, machine);
    if (FreeRoom.of(machine, []).shortage({ ...needs, diskGib: 0 }) === null) return;
    const job = {
      ...{ id: 1, ownerId: null, priority: 0, place: 1, pinned: null, needs },
      ...{
        limitS: null,
        queuedAt: 0,
        notBefore: null,
        isPreempted: false,
        goesBack: false,
        expectedS: null,
      },
    };
    const people = { lately: new Map(), maxRunning: null };
    const why = plan([job], [], machine, people, 0).waiting[0]?.why;
    if (why !== undefined)
      throw resourcesNotThere(sentenceOfWhy(why, { clock: null, sees: () => true }));
  }
}

async function movable(
  transaction: QueueTransaction,
  id: number,
  waiting: readonly JobRow[],
  caller: Caller,
): Promise<JobRow> {
  const row =
    waiting.find((other) => other.id === id) ??
    (await transaction.selectFrom("jobs").selectAll().where("id", "=", id).executeTakeFirst());
  const isSeen = row !== undefined && (caller.isAdmin || caller.roles.has(row.project_id));
  if (row === undefined || !isSeen) throw jobNotFound(id);
  if (!mayMove(row, caller))
    throw new SpotterError(
      "role-too-low",
      `Run ${id} is another person's; an administrator of the project may move it.`,
      { details: { needed: "admin", project_id: row.project_id } },
    );
  if (row.kind !== "train" || row.state !== "queued")
    throw queueOrderInvalid(`Run ${id} does not wait any more (${row.state}).`);
  return row;
}

/** Throws `queue-order-invalid`, `role-too-low`. */
function newPlaces(
  rows: readonly JobRow[],
  waiting: readonly JobRow[],
  caller: Caller,
): readonly Change[] {
  requireFallingClasses(rows);
  const owners = new Set(rows.map(({ owner_id: id }) => id));
  if (owners.size > 1 && !caller.isAdmin)
    throw new SpotterError(
      "role-too-low",
      "Only the server's administrator may put trainings of several people into order.",
      { details: { needed: "server-admin" } },
    );
  return owners.size > 1 ? pinned(rows, waiting) : permuted(rows);
}

type Change = { readonly id: number } & Pick<JobRow, "place" | "pinned">;

/** A class always goes before the next one: an order that says otherwise would be silently another. */
function requireFallingClasses(rows: readonly JobRow[]): void {
  rows.forEach((row, index) => {
    const before = rows[index - 1];
    if (before !== undefined && before.priority < row.priority)
      throw queueOrderInvalid(
        `Run ${before.id} is ${WORDS[before.priority]} and cannot stand before run ${row.id}, which is ${WORDS[row.priority]}; change its priority.`,
      );
  });
}

/** The jobs of one person share out the places that they have. */
function permuted(rows: readonly JobRow[]): Change[] {
  const places = rows
    .map(({ id, place, pinned: at }) => ({ place: place ?? id, pinned: at }))
    .sort((a, b) => (a.pinned ?? Infinity) - (b.pinned ?? Infinity) || a.place - b.place);
  return rows.map(({ id }, index) => ({
    id,
    place: places[index]?.place ?? id,
    pinned: places[index]?.pinned ?? null,
  }));
}

/** Before all others of their class; what was put there earlier stands behind them. */
function pinned(rows: readonly JobRow[], waiting: readonly JobRow[]): Change[] {
  const named = new Set(rows.map(({ id }) => id));
  const earlier = waiting
    .filter((row) => row.pinned !== null && !named.has(row.id))
    .sort((a, b) => (a.pinned ?? 0) - (b.pinned ?? 0));
  return [...rows, ...earlier].map(({ id, place }, index) => ({ id, place, pinned: index + 1 }));
}
