// What the models room needs to know of a run: whose weights they are, and what they were trained on.
import type { JobState, RecipeName, RunCommand, RunFile, WorkerEvent } from "@spotter/contract";
import type { RunFacts, RunFileRow, RunRow } from "./tables.ts";
import { toFile } from "./views.ts";

export interface TrainedRun {
  readonly id: number;
  readonly projectId: number;
  readonly name: string;
  readonly ownerId: number | null;
  readonly ownerName: string | null;
  readonly state: JobState;
  readonly recipe: RecipeName;
  /** As asked for; the facts have it as resolved. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The model that its weights become a version of. */
  readonly modelName: string;
  readonly dataName: string | null;
  readonly facts: RunFacts | null;
  /** What people told it while it trained. */
  readonly commands: readonly RunCommand[];
  /** The newest that is still there. */
  readonly weights: RunFile | null;
}

export function toTrainedRun(
  row: RunRow,
  weights: RunFileRow | undefined,
  commands: readonly RunCommand[],
): TrainedRun | null {
  if (row.source !== "recipe" || row.recipe === null) return null;
  return {
    id: row.id,
    projectId: row.project_id,
    name: row.name,
    ownerId: row.owner_id,
    ownerName: row.owner_name,
    state: row.state,
    recipe: row.recipe,
    config: JSON.parse(row.config),
    modelName: row.model_name ?? row.recipe,
    dataName: row.data_name,
    facts: row.facts === null ? null : (JSON.parse(row.facts) as RunFacts),
    commands,
    weights: weights === undefined ? null : toFile(weights),
  };
}

/** The commands as they stand once these events are taken: a short run tells everything at once. */
export function commandsAfter(
  commands: readonly RunCommand[],
  events: readonly WorkerEvent[],
): RunCommand[] {
  return commands.map((command) => {
    if (command.state !== "sent" && command.state !== "expired") return command;
    const acked = events.findLast(
      (event) => event.type === "command-acked" && event.command_id === command.id,
    );
    if (acked?.type !== "command-acked") return command;
    const { outcome, time, message, step, change = null } = acked;
    return { ...command, state: outcome, acked_at: time, message, step, change };
  });
}
