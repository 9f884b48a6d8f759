// What an alert says to people in one sentence, in English and Chinese. Pure.
import type {
  Alert,
  AlertComparison,
  AlertCondition,
  AlertEvent,
  AlertLanguage,
  JobState,
  MetricValue,
} from "@spotter/contract";

type Said = Pick<
  Alert,
  "condition" | "state" | "reason" | "metric" | "value" | "step" | "run_id" | "run_name"
>;

const COMPARISONS: Readonly<Record<AlertComparison, readonly [en: string, zh: string]>> = {
  above: ["above", "高于"],
  "at-least": ["at or above", "不低于"],
  below: ["below", "低于"],
  "at-most": ["at or below", "不高于"],
};
const STATES: Readonly<Record<JobState, readonly [en: string, zh: string]>> = {
  queued: ["The run waits in the queue.", "训练排队中。"],
  starting: ["The run is starting.", "训练启动中。"],
  running: ["The run is running.", "训练已开始运行。"],
  paused: ["The run is paused.", "训练已暂停。"],
  finished: ["The run has finished.", "训练已完成。"],
  failed: ["The run has failed.", "训练失败。"],
  stopped: ["The run was stopped.", "训练已停止。"],
  cancelled: ["The run was cancelled.", "训练已取消。"],
};

/** `train/loss is 5.2, above 5 (step 120).` */
export function sentenceOf(alert: Said, language: AlertLanguage = "en"): string {
  return language === "zh" ? chinese(alert) : english(alert);
}

/** The heading of a message: what happened to which run. */
export function headingOf(event: AlertEvent, alert: Said | null, language: AlertLanguage): string {
  if (alert === null || event === "alert-test")
    return language === "zh" ? "Spotter 测试消息" : "Spotter test message";
  const run = `#${alert.run_id} ${alert.run_name}`;
  if (event === "alert-fired") return language === "zh" ? `告警：${run}` : `Alert: ${run}`;
  return language === "zh" ? `已恢复：${run}` : `Recovered: ${run}`;
}

export function testSentence(language: AlertLanguage): string {
  return language === "zh"
    ? "这是一条测试消息：告警会发送到这里。"
    : "This is a test: alerts will arrive here.";
}

/** `The run has failed: loss is NaN at step 37`: the full stop is the reason's own, if it has one. */
function because(sentence: string, reason: string | null, colon: string): string {
  return reason === null ? sentence : `${sentence.slice(0, -1)}${colon}${reason}`;
}

function english({ condition, state, reason, metric, value, step }: Said): string {
  const at = step === null ? "" : ` (step ${step})`;
  switch (condition.kind) {
    case "state":
      return because(STATES[state ?? "running"][0], reason, ": ");
    case "metric":
      return `${metric} is ${number(value)}, ${COMPARISONS[condition.comparison][0]} ${number(condition.value)}${inARow(condition, " for ", " points in a row")}${at}.`;
    case "non-finite":
      return `${metric} is ${number(value)}${inARow(condition, " for ", " points in a row")}${at}.`;
    case "silence":
      return `Nothing was heard of the run for ${condition.seconds} s.`;
  }
}

function chinese({ condition, state, reason, metric, value, step }: Said): string {
  const at = step === null ? "" : `（第 ${step} 步）`;
  switch (condition.kind) {
    case "state":
      return because(STATES[state ?? "running"][1], reason, "：");
    case "metric":
      return `${metric} 为 ${number(value)}，${COMPARISONS[condition.comparison][1]} ${number(condition.value)}${inARow(condition, "，连续 ", " 个点")}${at}。`;
    case "non-finite":
      return `${metric} 为 ${number(value)}${inARow(condition, "，连续 ", " 个点")}${at}。`;
    case "silence":
      return `已有 ${condition.seconds} 秒没有收到训练的任何消息。`;
  }
}

function inARow(
  condition: Extract<AlertCondition, { points: number }>,
  before: string,
  after: string,
): string {
  return condition.points === 1 ? "" : `${before}${condition.points}${after}`;
}

/** Four digits are enough to read; what is not finite is called by its name. */
function number(value: MetricValue | null): string {
  if (typeof value !== "number") return value ?? "–";
  return String(Number(value.toPrecision(4)));
}
