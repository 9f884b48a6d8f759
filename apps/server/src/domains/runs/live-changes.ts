// Changes that people make to a training while it runs, and taking them back: what is allowed, and what holds now.
import {
  type JobState,
  type LiveValues,
  nearestName,
  type RecipeName,
  type RunChange,
  type RunCommand,
  type RunValues,
} from "@spotter/contract";
import type { Caller } from "../../platform/route.ts";
import type { QueueService } from "../queue/index.ts";
import {
  changeNotRevertible,
  configInvalid,
  givesWay,
  stateConflict,
  valueNotChangeable,
} from "./errors.ts";
import {
  changeableNames,
  configInForce,
  describeValues,
  revertedIds,
  startedConfig,
  valueIssues,
} from "./live-values.ts";
import type { RunsStore } from "./store.ts";
import type { RunRow } from "./tables.ts";

const CHANGED_IN: readonly JobState[] = ["running", "paused"];
/** A worker is told in the first two; the others are queued again from the checkpoint. */
const REVERTED_IN: readonly JobState[] = ["running", "paused", "failed", "stopped"];

interface LiveChangesParts {
  readonly store: RunsStore;
  readonly queue: QueueService;
}

export class LiveChanges {
  readonly #parts: LiveChangesParts;

  constructor(parts: LiveChangesParts) {
    this.#parts = parts;
  }

  async describe(row: RunRow): Promise<RunValues> {
    const commands = await this.#parts.queue.commands(row.id);
    const recipe = trainedRecipe(row);
    const config = startedConfig(recipe, row.config);
    return {
      run_id: row.id,
      state: row.state,
      obstacle: obstacleOf(row),
      values:
        recipe === null ? [] : describeValues(recipe, config, configInForce(config, commands)),
      changes: await this.#changes(row, commands),
    };
  }

  async set(
    row: RunRow,
    values: LiveValues,
    reason: string | null,
    caller: Caller,
  ): Promise<RunCommand> {
    const recipe = requireTrained(row);
    const obstacle = obstacleOf(row);
    if (obstacle !== null) throw stateConflict(obstacle, row.state);
    const commands = await this.#parts.queue.commands(row.id);
    const config = configInForce(startedConfig(recipe, row.config), commands);
    const names = changeableNames(recipe, config);
    const unknown = Object.keys(values).find((name) => !(names as string[]).includes(name));
    if (unknown !== undefined) {
      const meant = nearestName(unknown, names);
      const hint = meant === null ? "." : `; did you mean ${meant}?`;
      throw valueNotChangeable(
        `Run ${row.id} has no value ${JSON.stringify(unknown)} that can change while it trains${hint} It has ${names.join(", ")}.`,
        names,
      );
    }
    const issues = valueIssues(recipe, config, values);
    if (issues.length > 0) throw configInvalid(issues);
    if (Object.entries(values).every(([name, value]) => config[name] === value))
      throw stateConflict(`Nothing would change: run ${row.id} has these values already.`);
    const job = await this.#parts.queue.jobRow(row.id);
    // It may have ended since the row was read.
    if (!CHANGED_IN.includes(job.state))
      throw stateConflict(`Run ${row.id} is ${job.state}; nothing was changed.`, job.state);
    if (job.preempted_by !== null) throw givesWay(job);
    const by = { id: caller.userId, name: caller.userName };
    const wish = { values, reason };
    return sent(row, await this.#parts.queue.sendCommand(job, { action: "set", by, wish }));
  }

  /** Goes back to the checkpoint that was written before the change; later changes are taken back with it. */
  async revert(
    row: RunRow,
    changeId: number | undefined,
    reason: string | null,
    caller: Caller,
  ): Promise<RunCommand> {
    const { queue } = this.#parts;
    requireTrained(row);
    if (row.deleted_at !== null) throw stateConflict(`Run ${row.id} is deleted; restore it first.`);
    if (!REVERTED_IN.includes(row.state)) throw stateConflict(notRevertedNow(row), row.state);
    const commands = await queue.commands(row.id);
    const target = await this.#revertible(row, commands, changeId);
    const restart = { checkpoint: target.checkpoint, reverted: target.reverted };
    const given = {
      ...{ action: "revert" as const, by: { id: caller.userId, name: caller.userName } },
      ...{ wish: { reason, change_id: target.id }, restart },
    };
    const job = await queue.jobRow(row.id);
    if (CHANGED_IN.includes(job.state)) {
      if (job.preempted_by !== null) throw givesWay(job);
      return sent(row, await queue.sendCommand(job, given));
    }
    queue.requireExecutor();
    if (!(await queue.isAtRest(row.id)))
      throw stateConflict(`The process of run ${row.id} is still ending; try again in a moment.`);
    const command = await queue.revertEnded(job, ["failed", "stopped"], given);
    if (command === null) throw stateConflict(`Run ${row.id} has been resumed meanwhile.`);
    return command;
  }

  async #revertible(row: RunRow, commands: readonly RunCommand[], changeId: number | undefined) {
    const reverted = revertedIds(commands);
    const inForce = commands.filter(
      ({ id, action, state }) => action === "set" && state === "done" && !reverted.has(id),
    );
    const wanted =
      changeId === undefined ? inForce.at(-1) : inForce.find(({ id }) => id === changeId);
    if (wanted === undefined)
      throw changeNotRevertible(
        inForce.length === 0
          ? `Run ${row.id} has no change in force to take back.`
          : `Run ${row.id} has no change ${changeId} in force; in force are ${inForce.map(({ id }) => id).join(", ")}.`,
      );
    const checkpoint = wanted.change?.checkpoint;
    const there = await this.#checkpoints(row.id);
    if (checkpoint === undefined || !there.has(checkpoint))
      throw changeNotRevertible(
        `The checkpoint of before change ${wanted.id} was removed to make room; it cannot be gone back to.`,
      );
    const later = commands.filter(({ id, action }) => action === "set" && id >= wanted.id);
    const gone = new Set([...reverted.keys(), ...later.map(({ id }) => id)]);
    return { id: wanted.id, checkpoint, reverted: [...gone].sort((a, b) => a - b) };
  }

  async #changes(row: RunRow, commands: readonly RunCommand[]): Promise<RunChange[]> {
    const reverted = revertedIds(commands);
    const checkpoints = await this.#checkpoints(row.id);
    return commands
      .filter(({ action }) => action === "set")
      .reverse()
      .map((command) => {
        const by = reverted.get(command.id);
        const standing = by === undefined ? STANDINGS[command.state] : "reverted";
        const there = checkpoints.has(command.change?.checkpoint ?? "");
        return {
          command,
          standing,
          reverted:
            by === undefined
              ? null
              : {
                  by_name: by.created_by_name,
                  at: by.acked_at ?? by.created_at,
                  reason: by.reason,
                },
          can_revert: standing === "in-force" && there && REVERTED_IN.includes(row.state),
        };
      });
  }

  async #checkpoints(runId: number): Promise<Set<string>> {
    const files = await this.#parts.store.files(runId);
    const there = files.filter(({ kind, removed_at }) => kind === "checkpoint" && !removed_at);
    return new Set(there.map((file) => file.path));
  }
}

const STANDINGS = {
  sent: "pending",
  done: "in-force",
  refused: "refused",
  expired: "expired",
} as const;

/** The attempt may have ended between the look and the command. */
function sent(row: RunRow, command: RunCommand | null): RunCommand {
  if (command !== null) return command;
  throw stateConflict(
    `Run ${row.id} has just ended, or began another attempt; nothing was changed.`,
  );
}

/** Programs of one's own hold their own values. */
function trainedRecipe(row: RunRow): RecipeName | null {
  return row.source === "recipe" && row.recipe !== "command" ? row.recipe : null;
}

function requireTrained(row: RunRow): RecipeName {
  const recipe = trainedRecipe(row);
  if (recipe !== null) return recipe;
  throw stateConflict(
    row.source === "recipe"
      ? `Run ${row.id} runs a program of its own, which holds its own values; Spotter cannot change them. Start a training of a recipe to change values while it runs.`
      : `Run ${row.id} runs outside Spotter, which cannot change its values.`,
  );
}

function obstacleOf(row: RunRow): string | null {
  if (trainedRecipe(row) === null)
    return `Run ${row.id} holds its own values; only trainings of a recipe can be changed while they run.`;
  if (CHANGED_IN.includes(row.state)) return null;
  if (row.state === "queued")
    return `Run ${row.id} waits in the queue; its values can be changed once it runs.`;
  if (row.state === "starting") return `Run ${row.id} is starting; try again once it runs.`;
  return `Run ${row.id} has ended (${row.state}); its values can be changed only while it runs.`;
}

function notRevertedNow(row: RunRow): string {
  if (row.state === "finished")
    return `Run ${row.id} has finished; what it has learnt stays. Fork it from the checkpoint of before the change instead.`;
  if (row.state === "cancelled") return `Run ${row.id} was cancelled; nothing of it goes on.`;
  return `Run ${row.id} is ${row.state}; a change can be taken back once it runs, or after it failed or was stopped.`;
}
