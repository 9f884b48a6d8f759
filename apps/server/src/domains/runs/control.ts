// Commands that people give to runs: which state allows which, and what becomes of them.
import {
  ACTIVE_STATES,
  type ControlAnswer,
  type ControlRequest,
  FINAL_STATES,
  type JobState,
} from "@spotter/contract";
import type { z } from "zod";
import type { AuditRecorder } from "../../platform/audit.ts";
import type { Caller } from "../../platform/route.ts";
import type { QueueService } from "../queue/index.ts";
import { noActiveRun, stateConflict } from "./errors.ts";
import { noteOf, type RunService } from "./service.ts";
import type { RunsStore } from "./store.ts";
import type { RunRow } from "./tables.ts";

type Action = z.output<typeof ControlRequest>["action"];

/** States in which a command of this kind is taken by the worker. */
const TAKEN_IN: Readonly<Record<Exclude<Action, "cancel">, readonly JobState[]>> = {
  pause: ["running"],
  resume: ["paused"],
  stop: ACTIVE_STATES,
  checkpoint: ["running", "paused"],
};

export class RunControl {
  readonly #runs: RunService;
  readonly #store: RunsStore;
  readonly #queue: QueueService;
  readonly #audit: AuditRecorder;

  constructor(parts: {
    runs: RunService;
    store: RunsStore;
    queue: QueueService;
    audit: AuditRecorder;
  }) {
    this.#runs = parts.runs;
    this.#store = parts.store;
    this.#queue = parts.queue;
    this.#audit = parts.audit;
  }

  /** The run that a request means: the named one, else the newest active one that the caller may see. */
  async target(runId: number | undefined, caller: Caller): Promise<RunRow> {
    if (runId !== undefined) return this.#runs.require(runId);
    const projectIds = caller.isAdmin ? null : [...caller.roles.keys()];
    const row =
      projectIds?.length === 0
        ? undefined
        : ((await this.#store.newestActive(ACTIVE_STATES, projectIds)) ??
          (await this.#store.newestActive(["queued"], projectIds)));
    if (row === undefined) throw noActiveRun();
    return row;
  }

  async control(
    row: RunRow,
    action: Action,
    caller: Caller,
    address: string,
  ): Promise<ControlAnswer> {
    const command = await this.#carryOut(row, action, caller);
    await this.#audit.record({
      ...noteOf(row, caller, address, "run-controlled"),
      details: { action },
    });
    const { state } = await this.#runs.require(row.id);
    return { run_id: row.id, action, state, command };
  }

  async #carryOut(row: RunRow, action: Action, caller: Caller): Promise<ControlAnswer["command"]> {
    if (FINAL_STATES.includes(row.state))
      throw stateConflict(`Run ${row.id} has ended (${row.state}).`, row.state);
    const ends = action === "stop" || action === "cancel";
    if (row.source !== "recipe") {
      if (!ends)
        throw stateConflict(`Run ${row.id} runs outside Spotter, which cannot ${action} it.`);
      await this.#queue.endExternal(row.id);
      return null;
    }
    if (ends && row.state === "queued" && (await this.#queue.cancelQueued(row.id))) return null;
    if (action === "cancel") {
      await this.#queue.killNow(row.id);
      return null;
    }
    // It may have started since the row was read.
    const job = await this.#queue.jobRow(row.id);
    if (!TAKEN_IN[action].includes(job.state))
      throw stateConflict(refusal(row.id, action, job.state), job.state);
    return this.#queue.sendCommand(job, action, { id: caller.userId, name: caller.userName });
  }
}

function refusal(runId: number, action: Action, state: JobState): string {
  if (state === "queued") return `Run ${runId} waits in the queue; there is nothing to ${action}.`;
  if (state === "starting") return `Run ${runId} is starting; try again once it runs.`;
  if (action === "pause") return `Run ${runId} is paused already.`;
  if (action === "resume") return `Run ${runId} is ${state}, not paused.`;
  return `Run ${runId} is ${state}; it cannot ${action}.`;
}
