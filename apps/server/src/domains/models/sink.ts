// Registers a version for every run that finishes, in the transaction that takes the worker's word for it.
import type { WorkerEvent } from "@spotter/contract";
import type { Statement } from "../../platform/db/database.ts";
import type { StatementMaker } from "../../platform/db/statement.ts";
import type { BatchContext, Sink, SinkPlan } from "../../platform/sink.ts";
import {
  commandsAfter,
  configAtStart,
  configChanges,
  type RunService,
  type TrainedRun,
} from "../runs/index.ts";
import { registrationStatements, type Weights } from "./registration.ts";

export interface ModelsSinkParts {
  readonly statement: StatementMaker;
  readonly runs: Pick<RunService, "trained">;
  /** The outbox row by which the weights are kept apart from the run, once the commit is through. */
  readonly keepLater: (runId: number, sha256: string) => Statement;
  readonly afterCommit: () => void;
}

type Event<T extends WorkerEvent["type"]> = Extract<WorkerEvent, { type: T }>;

export function modelsSink(parts: ModelsSinkParts): Sink {
  return {
    types: ["run-started", "file-saved", "command-acked", "run-ended"],
    plan: (context, events) => plan(parts, context, events),
  };
}

async function plan(
  { statement, runs, keepLater, afterCommit }: ModelsSinkParts,
  context: BatchContext,
  events: readonly WorkerEvent[],
): Promise<SinkPlan> {
  const ended = events.find((event): event is Event<"run-ended"> => event.type === "run-ended");
  if (ended?.state !== "finished") return {};
  // Everything before this batch is committed: batches of an attempt come one after the other.
  const run = await runs.trained(context.jobId);
  const weights = run === null ? null : weightsOf(run, events, ended);
  if (run === null || weights === null) return {};
  return {
    statements: [
      ...registrationStatements(statement, weights, {
        name: run.modelName,
        ...{ note: "", tags: [], createdAt: context.receivedAt },
        createdBy: run.ownerId,
        createdByName: run.ownerName,
      }),
      keepLater(weights.runId, weights.sha256),
    ],
    afterCommit,
  };
}

/** What the rows say, and this batch on top of it: a short run tells everything at once. */
function weightsOf(
  run: TrainedRun,
  events: readonly WorkerEvent[],
  ended: Event<"run-ended">,
): Weights | null {
  const started = events.findLast((event) => event.type === "run-started");
  const saved = events.findLast(
    (event) => event.type === "file-saved" && event.kind === "weights" && event.label === "final",
  );
  const file = saved?.type === "file-saved" ? saved : run.weights;
  if (file === null || file.label !== "final") return null;
  const facts = started?.type === "run-started" ? started : run.facts;
  const told = { ...run, commands: commandsAfter(run.commands, events) };
  return weightsFrom(told, facts, file, { ...file.metrics, ...ended.metrics });
}

/** Shared with registration on demand. */
export function weightsFrom(
  run: TrainedRun,
  facts: TrainedRun["facts"],
  file: Pick<NonNullable<TrainedRun["weights"]>, "path" | "size" | "sha256">,
  metrics: Weights["metrics"],
): Weights {
  return {
    runId: run.id,
    runName: run.name,
    projectId: run.projectId,
    recipe: run.recipe,
    config: configAtStart(facts?.config ?? run.config, run.commands),
    configChanges: configChanges(run.commands),
    dataName: run.dataName,
    metrics,
    classes: facts?.data?.classes ?? [],
    numParameters: facts?.model?.parameters ?? null,
    code: facts?.versions.code ?? null,
    path: file.path,
    size: file.size,
    sha256: file.sha256,
  };
}
