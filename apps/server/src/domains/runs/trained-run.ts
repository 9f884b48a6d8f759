// What the models room needs to know of a run: whose weights they are, and what they were trained on.
import type { JobState, RecipeName, RunFile } from "@spotter/contract";
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
  /** The newest that is still there. */
  readonly weights: RunFile | null;
}

export function toTrainedRun(row: RunRow, weights: RunFileRow | undefined): TrainedRun | null {
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
    weights: weights === undefined ? null : toFile(weights),
  };
}
