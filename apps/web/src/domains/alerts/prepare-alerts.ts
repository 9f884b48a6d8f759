// What alerts, rules and deliveries say in the person's language: pure, from the fields; no sentence of the server.
import type {
  Alert,
  AlertCondition,
  AlertDelivery,
  AlertRule,
  AlertScope,
} from "@spotter/contract";
import { formatMetric } from "../../platform/format/index.ts";

export type Translate = (key: string, values?: Record<string, string | number>) => string;

export function isOpen({ recovered_at, closed }: Pick<Alert, "recovered_at" | "closed">): boolean {
  return recovered_at === null && closed === null;
}

/** `train/loss is 5.2, above 5`; why a run is in a state comes beside it, in the server's words. */
export function saidOf(
  alert: Pick<Alert, "condition" | "state" | "metric" | "value">,
  t: Translate,
): string {
  const { condition, state, metric, value } = alert;
  switch (condition.kind) {
    case "state":
      return t(`alerts.said.state.${state ?? "running"}`);
    case "metric":
      return t(`alerts.said.${condition.comparison}`, {
        metric: metric ?? condition.metric,
        value: formatMetric(value),
        bound: formatMetric(condition.value),
      });
    case "non-finite":
      return t("alerts.said.nonFinite", { metric: metric ?? "", value: formatMetric(value) });
    case "silence":
      return t("alerts.said.silence", { seconds: condition.seconds });
  }
}

/** A rule's condition: `train/loss above 5, 3 points in a row` */
export function conditionOf(condition: AlertCondition, t: Translate): string {
  switch (condition.kind) {
    case "state":
      return t("alerts.when.state", {
        states: condition.states.map((state) => t(`app.states.${state}`)).join(t("alerts.or")),
      });
    case "metric": {
      const first = t(`alerts.when.${condition.comparison}`, {
        metric: condition.metric,
        bound: formatMetric(condition.value),
      });
      return joined(first, condition.points, t);
    }
    case "non-finite": {
      const first =
        condition.metric === null
          ? t("alerts.when.anyNonFinite")
          : t("alerts.when.nonFinite", { metric: condition.metric });
      return joined(first, condition.points, t);
    }
    case "silence":
      return t("alerts.when.silence", { seconds: condition.seconds });
  }
}

function joined(first: string, points: number, t: Translate): string {
  return points === 1 ? first : `${first}${t("alerts.when.points", { n: points })}`;
}

/** Which runs a rule watches. */
export function scopeOf({ run_id, name_contains, tag }: AlertScope, t: Translate): string {
  const parts = [
    run_id === null ? "" : t("alerts.scope.run", { id: run_id }),
    name_contains === null ? "" : t("alerts.scope.name", { text: name_contains }),
    tag === null ? "" : t("alerts.scope.tag", { tag }),
  ].filter((part) => part !== "");
  return parts.length === 0 ? t("alerts.scope.all") : parts.join(" · ");
}

/** The receiver's last answer on one line, status first. */
export function answerOf({ last_status, last_answer }: AlertDelivery): string {
  const text = (last_answer ?? "").replace(/\s+/g, " ").trim();
  return [last_status === null ? "" : String(last_status), text]
    .filter((part) => part !== "")
    .join(" ");
}

/** What a rule's form holds; numbers as they were typed. */
export interface RuleDraft {
  name: string;
  kind: AlertCondition["kind"];
  states: Extract<AlertCondition, { kind: "state" }>["states"];
  metric: string;
  comparison: Extract<AlertCondition, { kind: "metric" }>["comparison"];
  value: string;
  points: string;
  recoverValue: string;
  seconds: string;
  runId: string;
  nameContains: string;
  tag: string;
  cooldown: string;
  notifyRecovered: boolean;
  targetIds: number[];
}

export function emptyDraft(): RuleDraft {
  return {
    ...{ name: "", kind: "non-finite", states: ["failed"], metric: "", comparison: "above" },
    ...{ value: "", points: "1", recoverValue: "", seconds: "300", runId: "", nameContains: "" },
    ...{ tag: "", cooldown: "60", notifyRecovered: true, targetIds: [] },
  };
}

/** A rule as its form shows it. */
export function draftOf(rule: AlertRule): RuleDraft {
  const { condition, scope } = rule;
  const draft = {
    ...emptyDraft(),
    ...{ name: rule.name, kind: condition.kind, cooldown: String(rule.cooldown_s) },
    runId: scope.run_id === null ? "" : String(scope.run_id),
    nameContains: scope.name_contains ?? "",
    tag: scope.tag ?? "",
    notifyRecovered: rule.notify_recovered,
    targetIds: [...rule.target_ids],
  };
  switch (condition.kind) {
    case "state":
      return { ...draft, states: [...condition.states] };
    case "silence":
      return { ...draft, seconds: String(condition.seconds) };
    case "non-finite":
      return { ...draft, metric: condition.metric ?? "", points: String(condition.points) };
    case "metric": {
      const { metric, comparison, value, points, recover_value: back } = condition;
      const numbers = { value: String(value), points: String(points) };
      const recoverValue = back === null ? "" : String(back);
      return { ...draft, metric, comparison, ...numbers, recoverValue };
    }
  }
}

/** The condition that a form means; a number that is none becomes NaN, which the server's answer names. */
export function conditionFrom(draft: RuleDraft): AlertCondition {
  const points = Number(draft.points || "1");
  const metric = draft.metric.trim();
  switch (draft.kind) {
    case "state":
      return { kind: "state", states: draft.states };
    case "metric":
      return {
        ...{ kind: "metric", metric, comparison: draft.comparison, points },
        value: draft.value.trim() === "" ? Number.NaN : Number(draft.value),
        recover_value: draft.recoverValue.trim() === "" ? null : Number(draft.recoverValue),
      };
    case "non-finite":
      return { kind: "non-finite", metric: metric === "" ? null : metric, points };
    case "silence":
      return { kind: "silence", seconds: Number(draft.seconds) };
  }
}

export function scopeFrom(draft: RuleDraft): AlertScope {
  const orNull = (text: string) => (text.trim() === "" ? null : text.trim());
  const runId = draft.runId.trim().replace(/^#/, "");
  return {
    run_id: runId === "" ? null : Number(runId),
    name_contains: orNull(draft.nameContains),
    tag: orNull(draft.tag),
  };
}

/** Whether everything is there that the server would ask for. */
export function isComplete(draft: RuleDraft): boolean {
  const isNumber = (text: string) => text.trim() !== "" && Number.isFinite(Number(text));
  if (draft.name.trim() === "" || !isNumber(draft.cooldown)) return false;
  if (draft.kind === "state") return draft.states.length > 0;
  if (draft.kind === "silence") return isNumber(draft.seconds);
  if (draft.kind === "metric" && (draft.metric.trim() === "" || !isNumber(draft.value)))
    return false;
  return isNumber(draft.points);
}
