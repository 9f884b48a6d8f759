// When a rule on points fires and when it has recovered: O(1) a point, no clock and no store of its own. Pure.
import type { AlertComparison, MetricCondition, NonFiniteCondition } from "@spotter/contract";

/** What a rule counts between two points; kept as JSON, so that a restart goes on where it was. */
export type Tally = Record<string, [bad: number, good: number]>;

export type Verdict = "fires" | "recovers" | null;

/** A rule beside one run: closed until it fires, open until it has recovered. */
export interface PointRule {
  isOpen: boolean;
  /** @param mayFire false within the cool-down: the count goes on, and the first point after it fires */
  take(metric: string, value: number, mayFire: boolean): Verdict;
  tally(): Tally;
}

/** A run with more diverging metrics than this has one alert anyway. */
const MAX_BAD_METRICS = 200;

export function makePointRule(
  condition: MetricCondition | NonFiniteCondition,
  isOpen: boolean,
  tally: Tally = {},
): PointRule {
  return condition.kind === "metric"
    ? new ThresholdRule(condition, isOpen, tally)
    : new NonFiniteRule(condition, isOpen, tally);
}

/** Crossing back is not enough: as many points in a row must lie on the right side of `recover_value`. */
class ThresholdRule implements PointRule {
  isOpen: boolean;
  readonly #condition: MetricCondition;
  #bad: number;
  #good: number;

  constructor(condition: MetricCondition, isOpen: boolean, tally: Tally) {
    this.isOpen = isOpen;
    this.#condition = condition;
    // A metric may be called `constructor`, which every object seems to have.
    const counted = Object.hasOwn(tally, condition.metric) ? tally[condition.metric] : undefined;
    [this.#bad, this.#good] = counted ?? [0, 0];
  }

  take(_metric: string, value: number, mayFire: boolean): Verdict {
    // NaN is neither above nor below, and an infinity says that the run has diverged: a condition of its own.
    if (!Number.isFinite(value)) return null;
    const { comparison, value: bound, recover_value: back, points } = this.#condition;
    if (this.isOpen) {
      this.#good = isMet(value, comparison, back ?? bound) ? 0 : this.#good + 1;
      if (this.#good < points) return null;
      this.#reset(false);
      return "recovers";
    }
    this.#bad = isMet(value, comparison, bound) ? this.#bad + 1 : 0;
    if (this.#bad < points || !mayFire) return null;
    this.#reset(true);
    return "fires";
  }

  tally(): Tally {
    if (this.#bad === 0 && this.#good === 0) return {};
    return { [this.#condition.metric]: [this.#bad, this.#good] };
  }

  #reset(isOpen: boolean): void {
    this.isOpen = isOpen;
    this.#bad = 0;
    this.#good = 0;
  }
}

/** Fires for the first metric that is non-finite for long enough; has recovered when all that were are finite again. */
class NonFiniteRule implements PointRule {
  isOpen: boolean;
  readonly #points: number;
  /** Metrics that are not well: a healthy one has no entry, so that a run with 100,000 names costs nothing. */
  readonly #unwell: Map<string, [bad: number, good: number]>;

  constructor({ points }: NonFiniteCondition, isOpen: boolean, tally: Tally) {
    this.isOpen = isOpen;
    this.#points = points;
    this.#unwell = new Map(Object.entries(tally));
  }

  take(metric: string, value: number, mayFire: boolean): Verdict {
    return Number.isFinite(value) ? this.#takeGood(metric) : this.#takeBad(metric, mayFire);
  }

  tally(): Tally {
    return Object.fromEntries(this.#unwell);
  }

  #takeBad(metric: string, mayFire: boolean): Verdict {
    const bad = (this.#unwell.get(metric)?.[0] ?? 0) + 1;
    if (this.#unwell.has(metric) || this.#unwell.size < MAX_BAD_METRICS)
      this.#unwell.set(metric, [bad, 0]);
    if (this.isOpen || bad < this.#points || !mayFire) return null;
    this.isOpen = true;
    return "fires";
  }

  #takeGood(metric: string): Verdict {
    const entry = this.#unwell.get(metric);
    if (entry === undefined) return null;
    const good = entry[1] + 1;
    if (this.isOpen && good < this.#points) {
      this.#unwell.set(metric, [0, good]);
      return null;
    }
    this.#unwell.delete(metric);
    if (!this.isOpen || this.#unwell.size > 0) return null;
    this.isOpen = false;
    return "recovers";
  }
}

function isMet(value: number, comparison: AlertComparison, bound: number): boolean {
  if (comparison === "above") return value > bound;
  if (comparison === "at-least") return value >= bound;
  if (comparison === "below") return value < bound;
  return value <= bound;
}
