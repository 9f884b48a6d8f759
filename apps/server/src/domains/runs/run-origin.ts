// Where a run began: its line of forks, and which values of its config its line was trained with from later steps
// only. Pure.
import {
  type ForkChange,
  type LaterValue,
  ModelSource,
  type RunCommand,
  type RunOrigin,
} from "@spotter/contract";
import { toRunFork } from "./forks-store.ts";
import type { RunForkRow, RunRow } from "./tables.ts";

export interface OriginFacts {
  /** The run's own fork, then its parent's, …; empty where it forks nothing. */
  readonly line: readonly RunForkRow[];
  readonly commandsOf: (runId: number) => readonly RunCommand[];
}

export interface KnownOrigin {
  /** Null of a run that others trained: nobody told. */
  readonly origin: RunOrigin | null;
  /** Two runs began the same way just where these are the same. */
  readonly key: string;
}

type Config = Readonly<Record<string, unknown>>;
/** They say where a training ends, which is no matter of steps before and after. */
const OF_THE_WHOLE: readonly string[] = ["epochs", "max_steps", "seed"];

/** @param asked the run's config as it was asked for */
export function originOf(
  row: RunRow,
  asked: Config,
  { line, commandsOf }: OriginFacts,
): KnownOrigin {
  const [own] = line;
  if (row.source !== "recipe") return { origin: null, key: `${row.parent_id}` };
  if (own === undefined) {
    const model = ModelSource.safeParse(asked.init_from);
    const origin = { forks: [], values: [], model: model.success ? model.data : null };
    // The model itself is in the config, by which runs are told apart anyway.
    return { origin, key: `${row.parent_id}` };
  }
  const { optimizer, scheduler, rng, data_position } = toRunFork(own).keep;
  const kept = [optimizer, scheduler, rng, data_position];
  return {
    origin: {
      forks: line.map(toRunFork),
      values: laterValues(asked, line, commandsOf),
      model: null,
    },
    // The checkpoint's own sum: a run that went back may have had two of the same step.
    key: JSON.stringify([own.parent_id, own.step, own.checkpoint_sha256, kept]),
  };
}

/** Of every value that came later, the last time that it came: as the run's config has it. */
function laterValues(
  asked: Config,
  line: readonly RunForkRow[],
  commandsOf: OriginFacts["commandsOf"],
): LaterValue[] {
  const found = new Map<string, LaterValue>();
  for (const fork of line.toReversed())
    for (const value of [...changedLive(fork, commandsOf(fork.parent_id)), ...changedBy(fork)]) {
      const isInForce = JSON.stringify(asked[value.key]) === JSON.stringify(value.to);
      if (isInForce && !OF_THE_WHOLE.includes(value.key)) found.set(value.key, value);
    }
  return [...found.values()].sort((a, b) => a.from_step - b.from_step || (a.key < b.key ? -1 : 1));
}

/** Those taken back since are among them: what counts is what the checkpoint had, and its config tells. */
function changedLive({ step: until }: RunForkRow, commands: readonly RunCommand[]): LaterValue[] {
  return commands.flatMap(({ action, state, step, change }) => {
    if (action !== "set" || state !== "done" || step === null || step >= until) return [];
    return Object.entries(change?.after ?? {}).map(([key, to]) => ({
      ...{ key, to },
      from_step: step + 1,
    }));
  });
}

function changedBy({ step, changes }: RunForkRow): LaterValue[] {
  return (JSON.parse(changes) as ForkChange[]).map(({ key, to }) => ({
    ...{ key, to },
    from_step: step + 1,
  }));
}
