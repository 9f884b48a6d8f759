// One run beside the rules on points that watch it: which rule wants which series, and what each has counted.
import type { Change } from "./ledger.ts";
import type { PointsRule } from "./rule-book.ts";
import type { Standing } from "./store.ts";
import { makePointRule, type PointRule, type Tally } from "./tools/conditions.ts";
import type { ScopedRun } from "./tools/scope.ts";

export interface RunFacts extends ScopedRun {
  readonly projectId: number;
}

interface Watch {
  readonly rule: PointsRule;
  readonly state: PointRule;
  lastFiredAt: number | null;
}

/** By rule and version. */
export type Tallies = Record<string, Tally>;

export class WatchedRun {
  readonly id: number;
  facts: RunFacts | null = null;
  /** The last commit that was looked at. */
  position = 0;
  /** The highest commit that was told of, and the first one. */
  announced = 0;
  firstSeen: number | null = null;
  /** Whether the next commit may be looked at when it is told; otherwise the store is being read. */
  isLive = false;
  isLoading = false;
  mustMatch = true;
  isDirty = false;
  hasEnded = false;
  /** As they were stored; for rules that are met for the first time. */
  tallies: Tallies = {};
  /** When they were; older rules count every point behind the position. */
  savedAt = 0;
  #watches: readonly Watch[] = [];
  #byName = new Map<string, Watch[]>();
  #ofAny: readonly Watch[] = [];

  constructor(id: number) {
    this.id = id;
  }

  get isWatched(): boolean {
    return this.#watches.length > 0;
  }

  /** Only these are to be read from the store; null: all. */
  get wantedNames(): readonly string[] | null {
    return this.#ofAny.length > 0 ? null : [...this.#byName.keys()];
  }

  /** Rules that stay keep what they have counted. */
  match(rules: readonly PointsRule[], standings: readonly Standing[]): void {
    const before = new Map(this.#watches.map((watch) => [keyOf(watch.rule), watch]));
    const standingOf = new Map(standings.map((standing) => [standing.rule_id, standing]));
    this.#watches = rules.map((rule) => {
      const kept = before.get(keyOf(rule));
      if (kept !== undefined) return { ...kept, rule };
      const standing = standingOf.get(rule.id);
      const isOpen = standing?.is_open === 1;
      return {
        rule,
        state: makePointRule(rule.condition, isOpen, this.tallies[keyOf(rule)]),
        lastFiredAt: standing?.last_fired_at ?? null,
      };
    });
    this.#byName = new Map();
    for (const watch of this.#watches) {
      const { metric } = watch.rule.condition;
      if (metric === null) continue;
      const beside = this.#byName.get(metric) ?? [];
      this.#byName.set(metric, [...beside, watch]);
    }
    this.#ofAny = this.#watches.filter(({ rule }) => rule.condition.metric === null);
  }

  /** Looks at the points of one series, `from` to before `to`: a few comparisons each, nothing for others. */
  take(name: string, columns: Columns, from: number, to: number, look: Look): void {
    const named = this.#byName.get(name);
    if (named !== undefined)
      for (const watch of named) this.#judge(watch, name, columns, from, to, look);
    for (const watch of this.#ofAny) this.#judge(watch, name, columns, from, to, look);
  }

  storedTallies(): Tallies {
    return Object.fromEntries(
      this.#watches
        .map(({ rule, state }) => [keyOf(rule), state.tally()] as const)
        .filter(([, tally]) => Object.keys(tally).length > 0),
    );
  }

  #judge(
    watch: Watch,
    name: string,
    { step, time, value }: Columns,
    from: number,
    to: number,
    { now, isOld, changes }: Look,
  ): void {
    const { rule, state } = watch;
    const since = isOld && rule.since > this.savedAt ? rule.since : 0;
    for (let at = from; at < to; at += 1) {
      if ((time[at] as number) < since) continue;
      const { lastFiredAt } = watch;
      const mayFire = lastFiredAt === null || now - lastFiredAt >= rule.cooldownS;
      const verdict = state.take(name, value[at] as number, mayFire);
      if (verdict === null) continue;
      if (verdict === "fires") watch.lastFiredAt = now;
      const run = { id: this.id, name: this.facts?.name ?? "" };
      const seen = { metric: name, value: value[at] as number, step: step[at] as number };
      changes.push({ kind: verdict, rule, run, ...seen });
    }
  }
}

/** Points of many series, one after the other. */
export interface Columns {
  readonly step: ArrayLike<number>;
  readonly time: ArrayLike<number>;
  readonly value: ArrayLike<number>;
}

/** How a batch is looked at, and what is found. */
export interface Look {
  /** Unix seconds. */
  readonly now: number;
  /** It was committed before this server listened: points of before a rule was made do not count for that rule. */
  readonly isOld: boolean;
  readonly changes: Change[];
}

const keyOf = ({ id, version }: PointsRule) => `${id}.${version}`;
