// How long trainings take, by those that finished lately: of the same kind in the same project, the more alike the better.
// A guess for forecasts; nothing is started or ended by it.
import type { PlanStore } from "./plan-store.ts";
import type { JobRow, JobWork } from "./tables.ts";

const LOOKS_BACK_S = 30 * 86_400;
const MOST_RUNS = 200;
/** It changes by one run at a time, and reading it costs. */
const REMEMBERED_S = 60;
/** Of those that differ in their config: fewer say nothing. */
const LEAST_ALIKE = 3;

type Config = JobWork["config"];
type Trained = Pick<JobRow, "project_id" | "work">;

interface Known {
  readonly seconds: number;
  readonly epochs: number | null;
}

export class Experience {
  readonly #store: PlanStore;
  readonly #now: () => number;
  #known: { readonly at: number; readonly runs: ReadonlyMap<string, readonly Known[]> } | undefined;

  constructor(store: PlanStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** Reads what is newer than what is remembered; then `lengthOf` may be asked. */
  async refresh(): Promise<void> {
    const now = this.#now();
    const known = this.#known;
    if (known !== undefined && now >= known.at && now - known.at < REMEMBERED_S) return;
    const runs = new Map<string, Known[]>();
    for (const row of await this.#store.finishedTrainings(now - LOOKS_BACK_S, MOST_RUNS)) {
      const keys = keysOf(row);
      if (keys === null) continue;
      const one = { seconds: row.seconds, epochs: keys.epochs };
      for (const key of [keys.same, keys.alike]) runs.set(key, [...(runs.get(key) ?? []), one]);
    }
    this.#known = { at: now, runs };
  }

  /** Seconds from its start to its end; null where nothing like it has finished. */
  lengthOf(job: Trained): number | null {
    const keys = keysOf(job);
    if (keys === null || this.#known === undefined) return null;
    const same = this.#known.runs.get(keys.same) ?? [];
    if (same.length > 0) return median(same.map(({ seconds }) => seconds));
    const alike = this.#known.runs.get(keys.alike) ?? [];
    if (alike.length < LEAST_ALIKE) return null;
    const { epochs } = keys;
    // More epochs take longer; what else differs is what makes it a guess.
    return median(
      alike.map((one) =>
        epochs === null || one.epochs === null ? one.seconds : (one.seconds / one.epochs) * epochs,
      ),
    );
  }
}

/** Under `same` are those that differ in their seed only, under `alike` those of the same recipe, data and model. */
function keysOf({ project_id: projectId, work }: Trained) {
  if (work === null) return null;
  const { recipe, config } = JSON.parse(work) as JobWork;
  const { seed: _, ...rest } = config;
  const sorted = Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1));
  const of = (value: unknown) => JSON.stringify([projectId, recipe, value]);
  return {
    same: of(sorted),
    alike: of([config.data ?? null, config.model ?? null, config.command ?? null]),
    epochs: epochsOf(config),
  };
}

function epochsOf({ epochs, max_steps: maxSteps }: Config): number | null {
  return typeof epochs === "number" && epochs > 0 && (maxSteps ?? null) === null ? epochs : null;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
