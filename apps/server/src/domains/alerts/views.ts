// Turns the alerts room's rows into the contract's shapes.
import type {
  Alert,
  AlertCondition,
  AlertDelivery,
  AlertRule,
  AlertTarget,
  MetricValue,
} from "@spotter/contract";
import type { AlertRow, DeliveryRow, RuleRow, TargetRow } from "./tables.ts";
import { sentenceOf } from "./tools/sentences.ts";

export function toAlert({ closed_why: why, recovered_at: endedAt, ...row }: AlertRow): Alert {
  const fields = {
    ...row,
    recovered_at: why === null ? endedAt : null,
    closed: why === null || endedAt === null ? null : { at: endedAt, why },
    condition: JSON.parse(row.condition) as AlertCondition,
    value: row.value === null ? null : (JSON.parse(row.value) as MetricValue),
  };
  return { ...fields, sentence: sentenceOf(fields) };
}

export function toRule(
  row: RuleRow,
  facts: { last_fired_at: number | null; num_open: number } | undefined,
  knownTargets: ReadonlySet<number>,
): AlertRule {
  return {
    id: row.id,
    project_id: row.project_id,
    name: row.name,
    enabled: row.enabled === 1,
    scope: JSON.parse(row.scope),
    condition: JSON.parse(row.condition),
    cooldown_s: row.cooldown_s,
    notify_recovered: row.notify_recovered === 1,
    target_ids: targetIdsOf(row).filter((id) => knownTargets.has(id)),
    created_at: row.created_at,
    created_by_name: row.created_by_name,
    last_fired_at: facts?.last_fired_at ?? null,
    num_open: facts?.num_open ?? 0,
  };
}

export function targetIdsOf(row: Pick<RuleRow, "target_ids">): number[] {
  return JSON.parse(row.target_ids) as number[];
}

export function toTarget(row: TargetRow): AlertTarget {
  return {
    id: row.id,
    project_id: row.project_id,
    name: row.name,
    kind: row.kind,
    url_hint: row.url_hint,
    has_secret: row.has_secret === 1,
    language: row.language,
    enabled: row.enabled === 1,
    created_at: row.created_at,
    created_by_name: row.created_by_name,
  };
}

export function toDelivery(row: DeliveryRow): AlertDelivery {
  return {
    id: row.id,
    project_id: row.project_id,
    alert_id: row.alert_id,
    target_id: row.target_id,
    target_name: row.target_name,
    target_kind: row.target_kind,
    event: row.event,
    run_id: row.run_id,
    rule_name: row.rule_name,
    state: row.state,
    num_tries: row.num_tries,
    next_try_at: row.next_try_at,
    last_status: row.last_status,
    last_answer: row.last_answer,
    created_at: row.created_at,
    settled_at: row.settled_at,
  };
}
