// Alerts as data: rules on state, metrics and silence, what they fired, where that is delivered and how that went.
import { z } from "zod";
import { JobState } from "./queue.ts";
import {
  BooleanText,
  Id,
  IdText,
  limitText,
  MetricName,
  MetricValue,
  Tag,
  Title,
  UnixTime,
} from "./scalars.ts";

/** Which runs of its project a rule watches: one, or all whose name and tags fit; nothing given: every run. */
export const AlertScope = z
  .object({
    run_id: Id.nullable().default(null),
    /** Text that the run's name contains, in any case. */
    name_contains: z.string().trim().min(1).max(200).nullable().default(null),
    tag: Tag.nullable().default(null),
  })
  .strict();
export type AlertScope = z.infer<typeof AlertScope>;

export const AlertComparison = z.enum(["above", "at-least", "below", "at-most"]);
export type AlertComparison = z.infer<typeof AlertComparison>;

const NumPoints = z.number().int().min(1).max(10_000).default(1);

/** The run enters one of these states; recovered when it leaves them again. */
export const StateCondition = z
  .object({ kind: z.literal("state"), states: z.array(JobState).min(1).max(8) })
  .strict();
/**
 * A metric is on the wrong side of a value for so many points in a row; recovered after as many points in a row on the
 * right side of `recover_value` (of `value` itself, unless given). Non-finite values count for neither: see `non-finite`.
 */
export const MetricCondition = z
  .object({
    kind: z.literal("metric"),
    metric: MetricName,
    comparison: AlertComparison,
    value: z.number(),
    points: NumPoints,
    recover_value: z.number().nullable().default(null),
  })
  .strict();
/**
 * So many NaN or infinite points in a row; recovered after as many finite ones. Without a metric: of any metric, and
 * recovered when all are finite that were not; of those the first 200 of a run are remembered.
 */
export const NonFiniteCondition = z
  .object({ kind: z.literal("non-finite"), metric: MetricName.nullable(), points: NumPoints })
  .strict();
/** Nothing was heard of a running run for so long; recovered by its next event, or when it no longer runs. */
export const SilenceCondition = z
  .object({ kind: z.literal("silence"), seconds: z.number().min(5).max(604_800) })
  .strict();
export const AlertCondition = z.discriminatedUnion("kind", [
  StateCondition,
  MetricCondition,
  NonFiniteCondition,
  SilenceCondition,
]);
export type AlertCondition = z.infer<typeof AlertCondition>;
export type MetricCondition = z.infer<typeof MetricCondition>;
export type NonFiniteCondition = z.infer<typeof NonFiniteCondition>;
export type SilenceCondition = z.infer<typeof SilenceCondition>;

const Cooldown = z.number().min(0).max(604_800);
const TargetIds = z.array(Id).max(20);

export const AlertRule = z.object({
  id: Id,
  project_id: Id,
  name: z.string(),
  enabled: z.boolean(),
  scope: AlertScope,
  condition: AlertCondition,
  /** After it fired for a run, it fires for this run again this many seconds later at the earliest. */
  cooldown_s: z.number(),
  /** Whether its targets are told of the recovery too. */
  notify_recovered: z.boolean(),
  target_ids: z.array(Id),
  created_at: UnixTime,
  created_by_name: z.string().nullable(),
  last_fired_at: UnixTime.nullable(),
  /** Alerts of this rule that are open. */
  num_open: z.number().int(),
});
export type AlertRule = z.infer<typeof AlertRule>;

export const CreateAlertRule = z
  .object({
    /** Default: the server's first project. */
    project_id: Id.optional(),
    name: Title,
    enabled: z.boolean().default(true),
    scope: AlertScope.default({ run_id: null, name_contains: null, tag: null }),
    condition: AlertCondition,
    cooldown_s: Cooldown.default(60),
    notify_recovered: z.boolean().default(true),
    target_ids: TargetIds.default([]),
  })
  .strict();

/** A changed scope or condition begins anew: open alerts of the rule are closed, and its targets are not told. */
export const UpdateAlertRule = z
  .object({
    name: Title.optional(),
    enabled: z.boolean().optional(),
    scope: AlertScope.optional(),
    condition: AlertCondition.optional(),
    cooldown_s: Cooldown.optional(),
    notify_recovered: z.boolean().optional(),
    target_ids: TargetIds.optional(),
  })
  .strict();

/** Why an alert is not open any more though nobody knows whether its condition has recovered. */
export const AlertClosing = z.enum([
  "rule-removed",
  "rule-changed",
  "rule-switched-off",
  "run-removed",
]);
export type AlertClosing = z.infer<typeof AlertClosing>;

/**
 * A rule that has fired for a run. It stays open until the condition has recovered, or there is nobody left to ask;
 * until then it fires no more.
 */
export const Alert = z.object({
  id: Id,
  rule_id: Id,
  rule_name: z.string(),
  project_id: Id,
  run_id: Id,
  run_name: z.string(),
  /** As the rule had it when it fired. */
  condition: AlertCondition,
  /** The state that was entered. */
  state: JobState.nullable(),
  /** 2026-11-21: why the run is in that state, such as its failure in one sentence; null where it says no more. */
  reason: z.string().nullable().default(null),
  /** The metric that fired it. */
  metric: z.string().nullable(),
  value: MetricValue.nullable(),
  step: z.number().int().nullable(),
  /** English; pages say it in the person's language from the fields. */
  sentence: z.string(),
  fired_at: UnixTime,
  /** When the condition no longer held. */
  recovered_at: UnixTime.nullable(),
  /** 2026-11-21: closed without having recovered. */
  closed: z.object({ at: UnixTime, why: AlertClosing }).nullable().default(null),
});
export type Alert = z.infer<typeof Alert>;

export const AlertPage = z.object({
  alerts: z.array(Alert),
  next_before: Id.nullable(),
  /** Of all that the caller may see and has not marked as read. */
  num_unread: z.number().int(),
  /** Alerts above this id are unread. */
  read_up_to: z.number().int(),
});
export type AlertPage = z.infer<typeof AlertPage>;

export const AlertTargetKind = z.enum(["webhook", "slack", "feishu", "dingtalk"]);
export type AlertTargetKind = z.infer<typeof AlertTargetKind>;
export const AlertLanguage = z.enum(["en", "zh"]);
export type AlertLanguage = z.infer<typeof AlertLanguage>;

export const AlertTarget = z.object({
  id: Id,
  project_id: Id,
  name: z.string(),
  kind: AlertTargetKind,
  /** The address without what makes it secret: `https://hooks.slack.com/…x7Qz`. No answer ever holds the whole one. */
  url_hint: z.string(),
  has_secret: z.boolean(),
  /** Of the messages to chats. */
  language: AlertLanguage,
  enabled: z.boolean(),
  created_at: UnixTime,
  created_by_name: z.string().nullable(),
});
export type AlertTarget = z.infer<typeof AlertTarget>;

const TargetUrl = z
  .url({ protocol: /^https?$/, error: "must be an http:// or https:// address" })
  .max(2000);
const TargetSecret = z.string().min(8).max(200);

export const CreateAlertTarget = z
  .object({
    project_id: Id.optional(),
    name: Title,
    kind: AlertTargetKind,
    url: TargetUrl,
    /** What Feishu or DingTalk signs with. A webhook's is made by the server. */
    secret: TargetSecret.optional(),
    language: AlertLanguage.default("en"),
  })
  .strict();
/** The one answer that holds a webhook's secret. */
export const NewAlertTarget = AlertTarget.extend({ secret: z.string().nullable() });
export type NewAlertTarget = z.infer<typeof NewAlertTarget>;

export const UpdateAlertTarget = z
  .object({
    name: Title.optional(),
    url: TargetUrl.optional(),
    secret: TargetSecret.optional(),
    language: AlertLanguage.optional(),
    enabled: z.boolean().optional(),
  })
  .strict();

export const AlertEvent = z.enum(["alert-fired", "alert-recovered", "alert-test"]);
export type AlertEvent = z.infer<typeof AlertEvent>;

/** `waiting`: not taken yet, or a try failed and the next one is due at `next_try_at`; `dead`: given up. */
export const DeliveryState = z.enum(["waiting", "delivered", "dead"]);
export type DeliveryState = z.infer<typeof DeliveryState>;

export const AlertDelivery = z.object({
  id: Id,
  project_id: Id,
  /** Null for a test. */
  alert_id: Id.nullable(),
  target_id: Id,
  target_name: z.string(),
  target_kind: AlertTargetKind,
  event: AlertEvent,
  /** Of the run, for the list. */
  run_id: Id.nullable(),
  rule_name: z.string(),
  state: DeliveryState,
  num_tries: z.number().int(),
  next_try_at: UnixTime.nullable(),
  last_status: z.number().int().nullable(),
  /** The beginning of the receiver's last answer, or why there was none. */
  last_answer: z.string().nullable(),
  created_at: UnixTime,
  settled_at: UnixTime.nullable(),
});
export type AlertDelivery = z.infer<typeof AlertDelivery>;

/** The body of a webhook. Signed; see docs/guides/alerts.md. */
export const AlertNotice = z.object({
  /** The same for every try of one delivery: whoever has seen it may ignore it. */
  delivery_id: z.string(),
  event: AlertEvent,
  time: UnixTime,
  sentence: z.string(),
  rule: z.object({ id: Id, name: z.string() }).nullable(),
  run: z.object({ id: Id, name: z.string(), url: z.string() }).nullable(),
  alert: Alert.nullable(),
});
export type AlertNotice = z.infer<typeof AlertNotice>;

export const ListAlertsQuery = z.object({
  project_id: IdText.optional(),
  run_id: IdText.optional(),
  rule_id: IdText.optional(),
  /** `true`: only those that are open. */
  open: BooleanText.default("false"),
  before: IdText.optional(),
  limit: limitText(50, 200),
});
export const ListDeliveriesQuery = z.object({
  project_id: IdText.optional(),
  target_id: IdText.optional(),
  alert_id: IdText.optional(),
  state: DeliveryState.optional(),
  before: IdText.optional(),
  limit: limitText(50, 200),
});
export const DeliveryPage = z.object({
  deliveries: z.array(AlertDelivery),
  next_before: Id.nullable(),
});
export type DeliveryPage = z.infer<typeof DeliveryPage>;

export const AlertRuleParams = z.object({ rule_id: IdText });
export const AlertTargetParams = z.object({ target_id: IdText });
export const AlertDeliveryParams = z.object({ delivery_id: IdText });

/** That a run starts or finishes is news, not trouble: it needs nobody, and never recovers. */
export function alertMark(
  alert: Pick<Alert, "recovered_at" | "closed" | "state">,
): "open" | "told" | "recovered" | "closed" {
  if (alert.closed !== null) return "closed";
  if (alert.recovered_at !== null) return "recovered";
  const isTrouble = alert.state === null || TROUBLE_STATES.includes(alert.state);
  return isTrouble ? "open" : "told";
}

export const TROUBLE_STATES: readonly JobState[] = ["failed", "stopped", "cancelled"];
