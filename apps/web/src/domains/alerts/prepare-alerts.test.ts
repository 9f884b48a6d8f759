// Alerts, rules and deliveries in words, and the form's way to a condition.
import { AlertCondition, AlertScope, alertMark } from "@spotter/contract";
import { describe, expect, it } from "vitest";
import {
  answerOf,
  conditionFrom,
  conditionOf,
  emptyDraft,
  isComplete,
  isOpen,
  saidOf,
  scopeFrom,
  scopeOf,
} from "./prepare-alerts.ts";

const t = (key: string, values: Record<string, string | number> = {}) =>
  [key, ...Object.values(values)].join(" ");

describe("alerts in words", () => {
  it("say NaN, never a dash or a zero", () => {
    const condition = { kind: "non-finite" as const, metric: null, points: 1 };
    expect(saidOf({ condition, state: null, metric: "train/loss", value: "NaN" }, t)).toBe(
      "alerts.said.nonFinite train/loss NaN",
    );
  });

  it("are red only where something is wrong", () => {
    const open = { recovered_at: null, closed: null };
    expect(alertMark({ ...open, state: null })).toBe("open");
    expect(alertMark({ ...open, state: "failed" })).toBe("open");
    expect(alertMark({ ...open, state: "finished" })).toBe("told");
    expect(alertMark({ ...open, recovered_at: 1, state: "failed" })).toBe("recovered");
  });

  it("are not called recovered when their rule was removed, nor open", () => {
    const closed = { at: 5, why: "rule-removed" as const };
    expect(alertMark({ recovered_at: null, closed, state: "failed" })).toBe("closed");
    expect(isOpen({ recovered_at: null, closed })).toBe(false);
    expect(isOpen({ recovered_at: null, closed: null })).toBe(true);
  });

  it("name the bound that was crossed and how often", () => {
    const condition = {
      ...{ kind: "metric" as const, metric: "train/loss", comparison: "above" as const },
      ...{ value: 5, points: 3, recover_value: null },
    };
    expect(conditionOf(condition, t)).toBe("alerts.when.above train/loss 5alerts.when.points 3");
  });

  it("say which runs are watched, or all", () => {
    expect(scopeOf({ run_id: null, name_contains: null, tag: null }, t)).toBe("alerts.scope.all");
    expect(scopeOf({ run_id: 4, name_contains: null, tag: "big" }, t)).toBe(
      "alerts.scope.run 4 · alerts.scope.tag big",
    );
  });

  it("put a receiver's answer on one line", () => {
    const delivery = { last_status: 500, last_answer: "no\n  luck" };
    expect(answerOf(delivery as never)).toBe("500 no luck");
  });
});

describe("the form of a rule", () => {
  it("is complete when everything that its kind needs is there", () => {
    const draft = { ...emptyDraft(), name: "watch" };
    expect(isComplete(draft)).toBe(true);
    expect(isComplete({ ...draft, kind: "metric" })).toBe(false);
    expect(isComplete({ ...draft, kind: "metric", metric: "train/loss", value: "5" })).toBe(true);
    expect(isComplete({ ...draft, kind: "state", states: [] })).toBe(false);
    expect(isComplete({ ...draft, name: " " })).toBe(false);
  });

  it("means what the contract takes, for every kind", () => {
    const draft = { ...emptyDraft(), name: "watch", metric: "train/loss", value: "5", runId: "#7" };
    for (const kind of ["state", "metric", "non-finite", "silence"] as const) {
      const condition = conditionFrom({ ...draft, kind });
      expect(AlertCondition.parse(condition)).toEqual(condition);
    }
    expect(AlertScope.parse(scopeFrom(draft))).toEqual({
      run_id: 7,
      name_contains: null,
      tag: null,
    });
  });
});
