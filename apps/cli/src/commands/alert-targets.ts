// alerts targets, alerts deliveries: where alerts go, and how that went.
import {
  addAlertTarget,
  fetchAlertTargets,
  fetchDeliveries,
  removeAlertTarget,
  resendDelivery,
  tryAlertTarget,
} from "@spotter/client";
import {
  type AlertDelivery,
  AlertLanguage,
  AlertTargetKind,
  DeliveryState,
} from "@spotter/contract";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import { type Context, printable } from "../context.ts";
import { exitCodes, UsageProblem } from "../exit-codes.ts";
import { dateTime } from "../format.ts";
import { projectIdOf } from "../lookup.ts";
import { table } from "../table.ts";

export function addAlertTargetCommands(alerts: Command, bind: Bind, t: Context["text"]): void {
  const targets = alerts
    .command("targets")
    .description(t("list where alerts are delivered", "列出告警的发送目标"))
    .action(bind(listTargets));
  targets
    .command("add <name> <kind> <url>")
    .description(
      t(
        "add a target: webhook, slack, feishu or dingtalk",
        "添加目标：webhook、slack、feishu 或 dingtalk",
      ),
    )
    .option("--secret <text>", t("what Feishu or DingTalk signs with", "飞书或钉钉的签名密钥"))
    .option("--language <language>", "en | zh")
    .option("-p, --project <project>", t("its project, by name or id", "所属项目，名称或编号"))
    .action(bind(addTarget));
  targets
    .command("test <target>")
    .description(t("send a sample now", "立即发送一条测试消息"))
    .action(bind(testTarget));
  targets
    .command("remove <target>")
    .description(t("remove a target, by its id", "按编号移除目标"))
    .action(bind(removeTarget));
  alerts
    .command("deliveries")
    .description(t("list deliveries, newest first", "列出发送记录，最新在前"))
    .option("--state <state>", "waiting | delivered | dead")
    .option("--limit <count>", t("rows, at most 200", "行数，最多 200"), "30")
    .action(bind(listDeliveries));
  alerts
    .command("resend <delivery>")
    .description(t("send a delivery again", "重新发送"))
    .action(bind(resend));
}

/** @throws UsageProblem */
export function idOf(text: string): number {
  if (/^[1-9][0-9]{0,14}$/.test(text)) return Number(text);
  throw new UsageProblem(`"${text}" is no id; the lists show them.`);
}

async function listTargets(context: Context): Promise<void> {
  const targets = await fetchAlertTargets(context.client());
  if (context.json) return context.answer({ targets });
  const t = context.text.bind(context);
  if (targets.length === 0) return context.say(t("No targets.", "没有发送目标。"));
  const head = [
    "id",
    t("name", "名称"),
    t("kind", "类型"),
    t("address", "地址"),
    t("signed", "签名"),
    t("language", "语言"),
  ];
  const rows = targets.map((target) => [
    String(target.id),
    `${printable(target.name).slice(0, 40)}${target.enabled ? "" : t(" (off)", "（已停用）")}`,
    target.kind,
    printable(target.url_hint),
    target.has_secret ? t("yes", "是") : t("no", "否"),
    target.language,
  ]);
  context.say(table(head, rows));
}

async function addTarget(
  context: Context,
  [name = "", kind = "", url = ""]: string[],
  options: { secret?: string; language?: string; project?: string },
): Promise<void> {
  const client = context.client();
  const projectId = await projectIdOf(client, options.project);
  const made = await addAlertTarget(client, {
    ...{ name, url, kind: oneOf(AlertTargetKind.options, kind) },
    ...(options.secret === undefined ? {} : { secret: options.secret }),
    ...(options.language === undefined
      ? {}
      : { language: oneOf(AlertLanguage.options, options.language) }),
    ...(projectId === undefined ? {} : { project_id: projectId }),
  });
  if (context.json) return context.answer(made);
  context.say(
    context.text(`Target ${made.id}: ${made.url_hint}`, `目标 ${made.id}：${made.url_hint}`),
  );
  if (made.secret !== null)
    context.say(
      context.text(
        `Its secret, shown this once: ${made.secret}`,
        `签名密钥，仅显示这一次：${made.secret}`,
      ),
    );
}

async function testTarget(context: Context, [target = ""]: string[]): Promise<number> {
  const delivery = await tryAlertTarget(context.client(), idOf(target));
  if (context.json) context.answer(delivery);
  else context.say(`${stateWord(context, delivery)}  ${answerOf(delivery)}`);
  return delivery.state === "delivered" ? exitCodes.ok : exitCodes.failure;
}

async function removeTarget(context: Context, [target = ""]: string[]): Promise<void> {
  const id = idOf(target);
  await removeAlertTarget(context.client(), id);
  if (context.json) return context.answer({ done: true });
  context.say(context.text(`Target ${id} is removed.`, `目标 ${id} 已移除。`));
}

async function listDeliveries(
  context: Context,
  _args: string[],
  { state, limit }: { state?: string; limit?: string },
): Promise<void> {
  const page = await fetchDeliveries(context.client(), {
    ...(state === undefined ? {} : { state: oneOf(DeliveryState.options, state) }),
    limit: limit ?? "30",
  });
  if (context.json) return context.answer(page);
  const t = context.text.bind(context);
  if (page.deliveries.length === 0) return context.say(t("No deliveries.", "没有发送记录。"));
  const head = [
    "id",
    t("state", "状态"),
    t("target", "目标"),
    t("what", "内容"),
    t("tries", "次数"),
    t("last answer", "上次应答"),
    t("made", "创建"),
  ];
  const rows = page.deliveries.map((delivery) => [
    String(delivery.id),
    stateWord(context, delivery),
    printable(delivery.target_name).slice(0, 30),
    `${delivery.event}${delivery.run_id === null ? "" : ` #${delivery.run_id}`}`,
    String(delivery.num_tries),
    answerOf(delivery).slice(0, 60),
    dateTime(delivery.created_at),
  ]);
  context.say(table(head, rows, [4]));
}

async function resend(context: Context, [delivery = ""]: string[]): Promise<void> {
  const again = await resendDelivery(context.client(), idOf(delivery));
  if (context.json) return context.answer(again);
  context.say(
    context.text(`Delivery ${again.id} is sent again.`, `记录 ${again.id} 正在重新发送。`),
  );
}

function stateWord(context: Context, { state }: AlertDelivery): string {
  if (state === "delivered") return context.style("green", context.text("✓ delivered", "✓ 已送达"));
  if (state === "dead") return context.style("red", context.text("⬣ given up", "⬣ 已放弃"));
  return context.style("yellow", context.text("◔ waiting", "◔ 等待中"));
}

function answerOf({ last_status, last_answer }: AlertDelivery): string {
  const status = last_status === null ? "" : `${last_status} `;
  return printable(`${status}${last_answer ?? ""}`.trim());
}

function oneOf<T extends string>(options: readonly T[], text: string): T {
  const found = options.find((option) => option === text);
  if (found !== undefined) return found;
  throw new UsageProblem(`"${text}" is none of ${options.join(", ")}.`);
}
