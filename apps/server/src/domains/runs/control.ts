// Commands that people give to runs: which state allows which, and what becomes of them.
import {
  ACTIVE_STATES,
  type ControlAnswer,
  type ControlRequest,
  type ErrorIssue,
  FINAL_STATES,
  type JobState,
} from "@spotter/contract";
import type { z } from "zod";
import type { AuditRecorder } from "../../platform/audit.ts";
import { invalidRequest } from "../../platform/errors.ts";
import type { Caller } from "../../platform/route.ts";
import type { QueueService } from "../queue/index.ts";
import { noteOf } from "./audit-note.ts";
import { givesWay, noActiveRun, stateConflict } from "./errors.ts";
import type { LiveChanges } from "./live-changes.ts";
import type { RunService } from "./service.ts";
import type { RunsStore } from "./store.ts";
import type { RunRow } from "./tables.ts";

type Request = z.output<typeof ControlRequest>;
type Action = Request["action"];
type PlainAction = Exclude<Action, "set" | "revert">;

/** States in which a command of this kind is taken by the worker. */
const TAKEN_IN: Readonly<Record<Exclude<PlainAction, "cancel">, readonly JobState[]>> = {
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
  readonly #liveChanges: LiveChanges;

  constructor(parts: {
    runs: RunService;
    store: RunsStore;
    queue: QueueService;
    audit: AuditRecorder;
    liveChanges: LiveChanges;
  }) {
    this.#runs = parts.runs;
    this.#store = parts.store;
    this.#queue = parts.queue;
    this.#audit = parts.audit;
    this.#liveChanges = parts.liveChanges;
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
    request: Request,
    caller: Caller,
    address: string,
  ): Promise<ControlAnswer> {
    const { action, run_id: _, ...wish } = request;
    requireFitting(request);
    const command = await this.#carryOut(row, request, caller);
    await this.#audit.record({
      ...noteOf(row, caller, address, "run-controlled"),
      details: { action, ...wish, ...(command === null ? {} : { command_id: command.id }) },
    });
    const { state } = await this.#runs.require(row.id);
    return { run_id: row.id, action, state, command };
  }

  #carryOut(row: RunRow, request: Request, caller: Caller): Promise<ControlAnswer["command"]> {
    const { action, values = {}, reason = null } = request;
    if (action === "set") return this.#liveChanges.set(row, values, reason, caller);
    if (action === "revert")
      return this.#liveChanges.revert(row, request.change_id, reason, caller);
    return this.#plain(row, action, caller);
  }

  async #plain(
    row: RunRow,
    action: PlainAction,
    caller: Caller,
  ): Promise<ControlAnswer["command"]> {
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
    if (action !== "stop" && job.preempted_by !== null) throw givesWay(job);
    const by = { id: caller.userId, name: caller.userName };
    const command = await this.#queue.sendCommand(job, { action, by });
    if (command === null)
      throw stateConflict(`Run ${row.id} has just ended, or began another attempt; try again.`);
    return command;
  }
}

/** What only some actions take; a value that is not looked at would be a silent misunderstanding. */
function requireFitting({ action, values, reason, change_id }: Request): void {
  const issues: ErrorIssue[] = [];
  if (action === "set" && Object.keys(values ?? {}).length === 0)
    issues.push({ path: "body.values", message: "must name at least one value to set" });
  if (action === "set" && reason === undefined)
    issues.push({ path: "body.reason", message: "must say why; it is shown on every chart" });
  if (action !== "set" && values !== undefined)
    issues.push({ path: "body.values", message: "goes with the action `set` only" });
  if (action !== "revert" && change_id !== undefined)
    issues.push({ path: "body.change_id", message: "goes with the action `revert` only" });
  if (issues.length > 0) throw invalidRequest(issues);
}

function refusal(runId: number, action: PlainAction, state: JobState): string {
  if (state === "queued") return `Run ${runId} waits in the queue; there is nothing to ${action}.`;
  if (state === "starting") return `Run ${runId} is starting; try again once it runs.`;
  if (action === "pause") return `Run ${runId} is paused already.`;
  if (action === "resume") return `Run ${runId} is ${state}, not paused.`;
  return `Run ${runId} is ${state}; it cannot ${action}.`;
}
