// alerts: what fired, and the rules; targets and deliveries are in their own file.
import {
  addAlertRule,
  fetchAlertRules,
  fetchAlerts,
  readAlerts,
  removeAlertRule,
} from "@spotter/client";
import {
  type Alert,
  type AlertClosing,
  AlertCondition,
  type AlertRule,
  alertMark,
  JobState,
} from "@spotter/contract";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import { type Context, printable } from "../context.ts";
import { UsageProblem } from "../exit-codes.ts";
import { dateTime } from "../format.ts";
import { projectIdOf, runIdOf } from "../lookup.ts";
import { table } from "../table.ts";
import { addAlertTargetCommands, idOf } from "./alert-targets.ts";

interface ListOptions {
  open?: boolean;
  run?: string;
  limit?: string;
}

interface AddOptions {
  state?: string;
  metric?: string;
  above?: string;
  atLeast?: string;
  below?: string;
  atMost?: string;
  nonFinite?: string | boolean;
  silent?: string;
  points?: string;
  recover?: string;
  run?: string;
  nameContains?: string;
  tag?: string;
  target?: string[];
  cooldown?: string;
  project?: string;
}

export function addAlertsCommands(program: Command, bind: Bind, t: Context["text"]): void {
  const alerts = program
    .command("alerts")
    .description(t("what alert rules fired, newest first", "列出触发的告警，最新在前"))
    .option("--open", t("only those that are open", "仅未恢复的"))
    .option("--run <id>", t("of one run", "仅某个训练"))
    .option("--limit <count>", t("rows, at most 200", "行数，最多 200"), "30")
    .action(bind(listAlerts));
  alerts.command("read").description(t("mark all as read", "全部标为已读")).action(bind(markRead));
  alerts.command("rules").description(t("list the rules", "列出规则")).action(bind(listRules));
  addAddCommand(alerts, bind, t);
  alerts
    .command("remove <rule>")
    .description(t("remove a rule, by its id", "按编号移除规则"))
    .action(bind(removeRule));
  addAlertTargetCommands(alerts, bind, t);
}

function addAddCommand(alerts: Command, bind: Bind, t: Context["text"]): void {
  alerts
    .command("add <name>")
    .description(
      t(
        "make a rule: --state, --metric with a bound, --non-finite or --silent",
        "新建规则：--state、--metric 加界限、--non-finite 或 --silent",
      ),
    )
    .option(
      "--state <states>",
      t("states to enter: failed,finished", "进入的状态：failed,finished"),
    )
    .option("--metric <name>", t("metric to watch", "监视的指标"))
    .option("--above <value>", t("fires above", "高于时触发"))
    .option("--at-least <value>", t("fires at or above", "不低于时触发"))
    .option("--below <value>", t("fires below", "低于时触发"))
    .option("--at-most <value>", t("fires at or below", "不高于时触发"))
    .option(
      "--non-finite [metric]",
      t("NaN or infinite; any metric by default", "NaN 或无穷；默认任意指标"),
    )
    .option("--silent <seconds>", t("nothing heard of a running run", "运行中的训练没有消息"))
    .option("--points <count>", t("so many points in a row", "连续的点数"))
    .option("--recover <value>", t("has recovered beyond this value", "越过此值才算恢复"))
    .option("--run <id>", t("only this run", "仅此训练"))
    .option(
      "--name-contains <text>",
      t("only runs with this in their name", "仅名称含此文字的训练"),
    )
    .option("--tag <tag>", t("only runs with this tag", "仅含此标签的训练"))
    .option("--target <ids...>", t("deliver to these targets", "发送到这些目标"))
    .option("--cooldown <seconds>", t("at least so long between two alerts", "两次告警的最短间隔"))
    .option("-p, --project <project>", t("its project, by name or id", "所属项目，名称或编号"))
    .action(bind(addRule));
}

async function listAlerts(context: Context, _args: string[], options: ListOptions): Promise<void> {
  const page = await fetchAlerts(context.client(), {
    ...(options.open ? { open: "true" as const } : {}),
    ...(options.run ? { run_id: String(runIdOf(options.run)) } : {}),
    limit: options.limit ?? "30",
  });
  if (context.json) return context.answer(page);
  const t = context.text.bind(context);
  if (page.alerts.length === 0) return context.say(t("No alerts.", "没有告警。"));
  const head = [
    "id",
    t("state", "状态"),
    t("run", "训练"),
    t("what", "内容"),
    t("rule", "规则"),
    t("fired", "触发"),
  ];
  const rows = page.alerts.map((alert) => [
    `${alert.id > page.read_up_to ? "● " : "  "}${alert.id}`,
    stateWord(context, alert),
    `#${alert.run_id} ${printable(alert.run_name).slice(0, 30)}`,
    printable(alert.sentence),
    printable(alert.rule_name).slice(0, 30),
    dateTime(alert.fired_at),
  ]);
  context.say(table(head, rows));
  if (page.num_unread > 0)
    context.say(t(`${page.num_unread} unread (●).`, `${page.num_unread} 条未读（●）。`));
}

function stateWord(context: Context, alert: Alert): string {
  const t = context.text.bind(context);
  if (alert.closed !== null) return closingWord(alert.closed.why, t);
  const mark = alertMark(alert);
  if (mark === "told") return t("● noted", "● 已通知");
  return mark === "open"
    ? context.style("red", t("▲ open", "▲ 未恢复"))
    : context.style("green", t("✓ recovered", "✓ 已恢复"));
}

/** Nobody knows whether the condition has recovered. */
function closingWord(why: AlertClosing, t: (en: string, zh: string) => string): string {
  switch (why) {
    case "rule-removed":
      return t("– rule removed", "– 规则已移除");
    case "rule-changed":
      return t("– rule changed", "– 规则已修改");
    case "rule-switched-off":
      return t("– rule switched off", "– 规则已停用");
    case "run-removed":
      return t("– run removed", "– 训练已删除");
  }
}

async function markRead(context: Context): Promise<void> {
  const client = context.client();
  const newest = (await fetchAlerts(client, { limit: "1" })).alerts[0];
  if (newest !== undefined) await readAlerts(client, newest.id);
  if (context.json) return context.answer({ done: true });
  context.say(context.text("All alerts are read.", "全部告警已读。"));
}

async function listRules(context: Context): Promise<void> {
  const rules = await fetchAlertRules(context.client());
  if (context.json) return context.answer({ rules });
  const t = context.text.bind(context);
  if (rules.length === 0) return context.say(t("No rules.", "没有规则。"));
  const head = [
    "id",
    t("name", "名称"),
    t("when", "条件"),
    t("runs", "训练"),
    t("targets", "目标"),
    t("open", "未恢复"),
    t("last fired", "上次触发"),
  ];
  const rows = rules.map((rule) => [
    String(rule.id),
    `${printable(rule.name).slice(0, 40)}${rule.enabled ? "" : t(" (off)", "（已停用）")}`,
    printable(conditionText(rule)),
    printable(scopeText(rule, t("all", "全部"))),
    rule.target_ids.join(" ") || "–",
    String(rule.num_open),
    rule.last_fired_at === null ? "–" : dateTime(rule.last_fired_at),
  ]);
  context.say(table(head, rows, [5]));
}

const SIGNS = { above: ">", "at-least": "≥", below: "<", "at-most": "≤" } as const;

/** In signs, the same in every language. */
function conditionText({ condition }: AlertRule): string {
  if (condition.kind === "state") return `state = ${condition.states.join(" | ")}`;
  if (condition.kind === "silence") return `silent ≥ ${condition.seconds} s`;
  const times = condition.points === 1 ? "" : ` × ${condition.points}`;
  if (condition.kind === "non-finite") return `${condition.metric ?? "*"} = NaN | ∞${times}`;
  const back = condition.recover_value === null ? "" : ` (↺ ${condition.recover_value})`;
  return `${condition.metric} ${SIGNS[condition.comparison]} ${condition.value}${times}${back}`;
}

function scopeText({ scope }: AlertRule, all: string): string {
  const parts = [
    scope.run_id === null ? "" : `#${scope.run_id}`,
    scope.name_contains === null ? "" : `*${scope.name_contains}*`,
    scope.tag === null ? "" : `tag ${scope.tag}`,
  ];
  return parts.filter((part) => part !== "").join(" ") || all;
}

async function addRule(
  context: Context,
  [name = ""]: string[],
  options: AddOptions,
): Promise<void> {
  const client = context.client();
  const projectId = await projectIdOf(client, options.project);
  const rule = await addAlertRule(client, {
    name,
    condition: conditionOf(options),
    scope: {
      run_id: options.run === undefined ? null : runIdOf(options.run),
      name_contains: options.nameContains ?? null,
      tag: options.tag ?? null,
    },
    target_ids: (options.target ?? []).map(idOf),
    ...(options.cooldown === undefined
      ? {}
      : { cooldown_s: numberOf("--cooldown", options.cooldown) }),
    ...(projectId === undefined ? {} : { project_id: projectId }),
  });
  if (context.json) return context.answer(rule);
  context.say(
    context.text(
      `Rule ${rule.id} watches: ${conditionText(rule)}`,
      `规则 ${rule.id} 已生效：${conditionText(rule)}`,
    ),
  );
}

function conditionOf(options: AddOptions): AlertCondition {
  const bounds = (["above", "atLeast", "below", "atMost"] as const).filter(
    (key) => options[key] !== undefined,
  );
  const points =
    options.points === undefined ? {} : { points: numberOf("--points", options.points) };
  const kinds = [options.state, options.metric, options.nonFinite, options.silent];
  if (kinds.filter((kind) => kind !== undefined).length !== 1)
    throw new UsageProblem("Give one of --state, --metric, --non-finite, --silent.");
  if (options.state !== undefined)
    return checked({ kind: "state", states: options.state.split(",").map(stateOf) });
  if (options.silent !== undefined)
    return checked({ kind: "silence", seconds: numberOf("--silent", options.silent) });
  if (options.nonFinite !== undefined) {
    const metric = options.nonFinite === true ? null : options.nonFinite;
    return checked({ kind: "non-finite", metric, ...points });
  }
  const [bound] = bounds;
  if (bound === undefined || bounds.length > 1)
    throw new UsageProblem("--metric needs one of --above, --at-least, --below, --at-most.");
  return checked({
    ...{ kind: "metric", metric: options.metric, comparison: COMPARISONS[bound], ...points },
    value: numberOf(`--${COMPARISONS[bound]}`, options[bound] ?? ""),
    recover_value: options.recover === undefined ? null : numberOf("--recover", options.recover),
  });
}

const COMPARISONS = {
  above: "above",
  atLeast: "at-least",
  below: "below",
  atMost: "at-most",
} as const;

function checked(condition: unknown): AlertCondition {
  const result = AlertCondition.safeParse(condition);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new UsageProblem(
    `${issue?.path.join(".") ?? "condition"}: ${issue?.message ?? "is wrong"}`,
  );
}

function stateOf(text: string): JobState {
  const state = JobState.safeParse(text.trim());
  if (state.success) return state.data;
  throw new UsageProblem(`"${text}" is no state; there are: ${JobState.options.join(", ")}.`);
}

function numberOf(option: string, text: string): number {
  const number = Number(text);
  if (text.trim() !== "" && Number.isFinite(number)) return number;
  throw new UsageProblem(`${option} needs a number, not "${text}".`);
}

async function removeRule(context: Context, [rule = ""]: string[]): Promise<void> {
  const id = idOf(rule);
  await removeAlertRule(context.client(), id);
  if (context.json) return context.answer({ done: true });
  context.say(context.text(`Rule ${id} is removed.`, `规则 ${id} 已移除。`));
}
