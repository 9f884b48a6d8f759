// The rules that are switched on, in memory, by what they watch: looked at for every batch of points.
import type { MetricCondition, NonFiniteCondition } from "@spotter/contract";
import type { AlertStore } from "./store.ts";
import { type Rule, toRuleValue } from "./tables.ts";

export type PointsRule = Rule & { readonly condition: MetricCondition | NonFiniteCondition };
type Kind = Rule["condition"]["kind"];

export class RuleBook {
  /** Nobody is judged before the rules are known. */
  isLoaded = false;
  readonly #store: Pick<AlertStore, "enabledRules" | "revision">;
  #revision = 0;
  #rules: readonly Rule[] = [];
  #points: readonly PointsRule[] = [];

  constructor(store: Pick<AlertStore, "enabledRules" | "revision">) {
    this.#store = store;
  }

  async load(): Promise<void> {
    // Before the rules: what changes in between is read once more.
    this.#revision = await this.#store.revision();
    this.#rules = (await this.#store.enabledRules()).map(toRuleValue);
    this.#points = this.#rules.filter(isOnPoints);
    this.isLoaded = true;
  }

  /** Whether another server has changed a rule since they were read here. */
  async isBehind(): Promise<boolean> {
    return this.isLoaded && (await this.#store.revision()) !== this.#revision;
  }

  /** Before the rules are known anything may be watched. */
  get mayWatchPoints(): boolean {
    return !this.isLoaded || this.#points.length > 0;
  }

  get mayWatchStates(): boolean {
    return !this.isLoaded || this.#rules.some(({ condition }) => condition.kind === "state");
  }

  get mayWatchSilence(): boolean {
    return !this.isLoaded || this.#rules.some(({ condition }) => condition.kind === "silence");
  }

  onPoints(projectId: number): readonly PointsRule[] {
    return this.#points.filter((rule) => rule.projectId === projectId);
  }

  of<K extends Kind>(
    kind: K,
  ): readonly (Rule & { condition: Extract<Rule["condition"], { kind: K }> })[] {
    return this.#rules.filter(
      (rule): rule is Rule & { condition: Extract<Rule["condition"], { kind: K }> } =>
        rule.condition.kind === kind,
    );
  }
}

function isOnPoints(rule: Rule): rule is PointsRule {
  return rule.condition.kind === "metric" || rule.condition.kind === "non-finite";
}
