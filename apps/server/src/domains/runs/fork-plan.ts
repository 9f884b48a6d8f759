// What a fork of one checkpoint would be: the config's changes, what can be kept with them, seeds, and where it ends.
// Decides only; files and tables are `forks.ts`'s.
import {
  BATCH_FIELDS,
  type FixedBecause,
  type ForkChange,
  type ForkKept,
  type ForkPlan,
  type ForkRequest,
  fixedInFork,
  type JsonObject,
  RANDOM_FIELDS,
  type RecipeName,
} from "@spotter/contract";
import type { z } from "zod";
import { forkCannotKeep, forkChangeNotAllowed } from "./errors.ts";
import { learningRate, type ScheduleConfig } from "./fork-schedule.ts";
import { forkWarnings } from "./fork-warnings.ts";

type Config = z.infer<typeof JsonObject>;
const MAX_SEED = 2 ** 31 - 1;
const PARTS = ["optimizer", "scheduler", "rng", "data_position"] as const;

/** Where the checkpoint stands, as its own `progress.json` says. */
export interface Standing {
  readonly step: number;
  readonly epoch: number;
  readonly batch: number;
  readonly drops: number;
  readonly schedule_start: number;
}

export interface PlanInput {
  readonly recipe: RecipeName;
  readonly before: Config;
  /** Checked, defaults filled in. */
  readonly after: Config;
  readonly wish: Pick<z.output<typeof ForkRequest>, "keep" | "seeds" | "changes">;
  readonly standing: Standing;
  /** Batches of one epoch with the parent's config; null where the parent told none. */
  readonly batches: number | null;
}

export interface Decided
  extends Pick<
    ForkPlan,
    "keep" | "changes" | "seeds" | "total_steps" | "learning_rate" | "warnings"
  > {}

/** Throws `fork-change-not-allowed`, `fork-cannot-keep`; that no steps are left is a warning of the plan. */
export function planFork(input: PlanInput): Decided {
  const { recipe, before, after, wish, standing } = input;
  const changes = changesOf(before, after);
  const fixed = changes.flatMap(({ key }) => {
    const because = fixedInFork(recipe, key);
    return because === null ? [] : [{ path: `config.${key}`, message: FIXED[because] }];
  });
  if (fixed.length > 0) throw forkChangeNotAllowed(fixed);
  const seeds = seedsOf(after, wish);
  const keys = [...changes.map(({ key }) => key), ...(seeds.length > 1 ? ["seed"] : [])];
  const lost = lostParts(keys);
  const insisted = PARTS.find((part) => wish.keep[part] === true && lost.has(part));
  if (insisted !== undefined) throw forkCannotKeep(insisted, lost.get(insisted) ?? []);
  const keep = Object.fromEntries(
    PARTS.map((part) => [part, !lost.has(part) && (wish.keep[part] ?? true)]),
  ) as ForkKept;
  const extent = extentOf(input, keep, keys);
  const rate = extent === null ? null : rateOf(after, standing, keep, extent);
  const { step, epoch } = standing;
  const totalSteps = extent?.totalSteps ?? null;
  const warnings = forkWarnings({
    totalSteps,
    step,
    epoch,
    keep,
    lost,
    changes,
    numForks: seeds.length,
    rate,
  });
  return {
    ...{ keep, changes, seeds, warnings },
    total_steps: totalSteps,
    learning_rate: rate,
  };
}

/** The fields that differ, in the config's order. */
export function changesOf(before: Config, after: Config): ForkChange[] {
  return Object.keys({ ...before, ...after })
    .map((key) => ({ key, from: before[key] ?? null, to: after[key] ?? null }))
    .filter(({ from, to }) => JSON.stringify(from) !== JSON.stringify(to));
}

const FIXED: Readonly<Record<FixedBecause, string>> = {
  architecture: "shapes the model, whose weights the fork keeps: it cannot change",
  vocabulary: "makes the vocabulary that the kept weights know: it cannot change",
  classes: "makes the classes that the kept weights know: it cannot change",
  "earlier-learning": "was prepared before the run's first step: it cannot change",
};

/** One fork takes the config's seed; several take the numbers behind the parent's, or those from a seed that is given. */
function seedsOf(after: Config, wish: PlanInput["wish"]): number[] {
  const seed = Number(after.seed ?? 0);
  if (wish.seeds === 1) return [seed];
  const first = "seed" in wish.changes ? seed : seed + 1;
  return Array.from({ length: wish.seeds }, (_, index) => (first + index) % (MAX_SEED + 1));
}

function lostParts(keys: readonly string[]): Map<keyof ForkKept, string[]> {
  const lost = new Map<keyof ForkKept, string[]>();
  const losing: Partial<Record<keyof ForkKept, readonly string[]>> = {
    optimizer: ["optimizer"],
    rng: RANDOM_FIELDS,
    data_position: BATCH_FIELDS,
  };
  for (const part of PARTS) {
    const blamed = [...new Set(keys.filter((key) => losing[part]?.includes(key)))];
    if (blamed.length > 0) lost.set(part, blamed);
  }
  return lost;
}

interface Extent {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
}

/** As the worker's loop counts; null where other batches are made, which only the data tells. */
function extentOf(
  { after, standing, batches }: PlanInput,
  keep: ForkKept,
  keys: readonly string[],
): Extent | null {
  const sameBatches = keys.every((key) => key === "seed" || !BATCH_FIELDS.includes(key));
  if (batches === null || !sameBatches) return null;
  const batchesAStep = Number(after.accumulate_steps) * Number(after.processes);
  const stepsPerEpoch = Math.ceil(batches / batchesAStep);
  const batch = keep.data_position ? standing.batch : 0;
  const restOfEpoch = Math.ceil((batches - batch) / batchesAStep);
  const laterEpochs = Number(after.epochs) - standing.epoch - 1;
  const byEpochs = standing.step + restOfEpoch + laterEpochs * stepsPerEpoch;
  const bound = typeof after.max_steps === "number" ? after.max_steps : byEpochs;
  return { stepsPerEpoch, totalSteps: Math.min(byEpochs, bound) };
}

function rateOf(
  after: Config,
  standing: Standing,
  keep: ForkKept,
  { stepsPerEpoch, totalSteps }: Extent,
): { next: number; peak: number } {
  const start = keep.scheduler ? standing.schedule_start : standing.step;
  const config = after as unknown as ScheduleConfig;
  const extent = { stepsPerEpoch, totalSteps: totalSteps - start };
  const drops = keep.scheduler ? standing.drops : 0;
  const next = learningRate(config, extent, standing.step + 1 - start, drops);
  return { next, peak: config.learning_rate };
}
