// queue, queue move, queue cancel, priority: what runs and waits, changing its order, taking out of it.
import {
  cancelWaiting,
  fetchQueue,
  movablePeers,
  orderForMove,
  reorder,
  setPriority,
} from "@spotter/client";
import type { CancelResult, QueueEntry, QueueView } from "@spotter/contract";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import { type Context, printable } from "../context.ts";
import { exitCodes, UsageProblem } from "../exit-codes.ts";
import { stateWord } from "../format.ts";
import { runIdOf } from "../lookup.ts";
import { ask } from "../prompt.ts";
import { priorityOf, priorityWord } from "../queue-options.ts";
import { clock, needsText, reasonText } from "../queue-text.ts";
import { kindWord } from "../queue-words.ts";
import { table } from "../table.ts";

interface MoveOptions {
  before?: string;
  first?: boolean;
  last?: boolean;
}

export function addQueueCommands(program: Command, bind: Bind, t: Context["text"]): void {
  const queue = program
    .command("queue")
    .description(t("what runs and what waits, and why", "正在运行与排队的任务，以及排队原因"))
    .action(bind(showQueue));
  queue
    .command("move <run>")
    .description(t("move a waiting training inside its class", "在同一优先级内移动排队的训练"))
    .option("--before <run>", t("in front of this one", "移到该训练之前"))
    .option("--first", t("in front of all", "移到最前"))
    .option("--last", t("behind all", "移到最后"))
    .action(bind(move));
  queue
    .command("cancel <run...>")
    .description(t("take waiting trainings out of the queue", "将排队的训练移出队列"))
    .option("--yes", t("do not ask first", "不再询问"))
    .action(bind(cancel));
  program
    .command("priority <run> <class>")
    .description(
      t("how urgent a training is: low, normal, high, urgent", "优先级：low、normal、high、urgent"),
    )
    .action(bind(changePriority));
}

async function showQueue(context: Context): Promise<void> {
  const queue = await fetchQueue(context.client());
  if (context.json) return context.answer(queue);
  sayQueue(context, queue);
}

function sayQueue(context: Context, queue: QueueView): void {
  const t = context.text.bind(context);
  // A server of before 2026-11-22 tells nothing of those that are ending.
  const ending = queue.ending ?? [];
  const entries = [...queue.running, ...ending, ...queue.waiting];
  if (entries.length === 0) {
    context.say(t("Nothing runs and nothing waits.", "没有运行或排队的任务。"));
    return;
  }
  const head = [
    t("place", "位置"),
    "#",
    t("name", "名称"),
    t("kind", "类型"),
    t("state", "状态"),
    t("priority", "优先级"),
    t("needs", "资源"),
    t("by", "创建者"),
    t("from", "开始"),
    t("until", "结束"),
    t("reason", "原因"),
  ];
  context.say(
    table(
      head,
      entries.map((entry) => rowOf(context, entry, queue.time, ending)),
      [0, 1],
    ),
  );
  if (queue.has_pinned)
    context.say(
      t(
        "An administrator has put some of these in order by hand: they go before all others of their class.",
        "管理员手动排过其中一些训练的次序：它们排在同一优先级的其他训练之前。",
      ),
    );
}

function rowOf(
  context: Context,
  entry: QueueEntry,
  now: number,
  ending: readonly QueueEntry[],
): string[] {
  const t = context.text.bind(context);
  const about = (time: number | null) => {
    if (time === null) return "";
    return time > now ? `~${clock(time)}` : t("soon", "即将");
  };
  return [
    entry.position === null ? "" : String(entry.position),
    String(entry.job_id),
    printable(entry.name).slice(0, 40),
    kindWord(entry.kind, context.language),
    ending.includes(entry) ? t("ending", "正在结束") : stateWord(entry.state, context.language),
    priorityWord(entry.priority, t),
    needsText(entry, t),
    printable(entry.owner_name ?? ""),
    entry.started_at === null ? about(entry.starts_at) : clock(entry.started_at),
    about(entry.ends_at),
    printable(reasonText(entry, t, context.language)),
  ];
}

async function move(context: Context, [text = ""]: string[], options: MoveOptions): Promise<void> {
  const jobId = runIdOf(text);
  const wishes = [options.before, options.first, options.last].filter(Boolean).length;
  if (wishes !== 1)
    throw new UsageProblem("Say where to: --before <run>, --first or --last, one of them.");
  const client = context.client();
  const queue = await fetchQueue(client);
  const answer = await reorder(client, orderForMove(queue, jobId, targetOf(queue, jobId, options)));
  if (context.json) return context.answer(answer);
  sayQueue(context, answer);
}

/** Asks once, so it takes a terminal or `--yes`; what became of each is told. */
async function cancel(
  context: Context,
  texts: string[],
  options: { yes?: boolean },
): Promise<number> {
  const ids = [...new Set(texts.map(runIdOf))];
  const t = context.text.bind(context);
  const { streams } = context;
  if (options.yes !== true) {
    if (!streams.stdin.isTTY || !streams.stderr.isTTY)
      throw new UsageProblem(
        "There is no terminal to ask on; give --yes to cancel without asking.",
      );
    const said = await ask(
      streams,
      t(
        `Take ${ids.length === 1 ? `run ${ids[0]}` : `runs ${ids.join(", ")}`} out of the queue? [y/N] `,
        `将训练 ${ids.join("、")} 移出队列？[y/N] `,
      ),
    );
    if (!/^(y|yes|是)$/i.test(said)) {
      context.note(t("Nothing was changed.", "未作改动。"));
      return exitCodes.ok;
    }
  }
  const answer = await cancelWaiting(context.client(), ids);
  if (context.json) context.answer(answer);
  else for (const result of answer.results) sayCancelled(context, result);
  return answer.results.every(({ cancelled }) => cancelled) ? exitCodes.ok : exitCodes.conflict;
}

function sayCancelled(context: Context, { job_id: id, cancelled, message }: CancelResult): void {
  const english = cancelled ? `Run ${id} is out of the queue.` : (message ?? "");
  const chinese = cancelled ? `训练 ${id} 已移出队列。` : `训练 ${id} 未移出：${message}`;
  context.say(context.text(english, chinese));
}

/** Before whom it shall stand; null: behind all that it may pass. */
function targetOf(queue: QueueView, jobId: number, options: MoveOptions): number | null {
  if (options.before !== undefined) return runIdOf(options.before);
  const moved = queue.waiting.find((entry) => entry.job_id === jobId);
  if (options.last === true || moved === undefined) return null;
  const peers = movablePeers(queue, moved).filter((entry) => entry.job_id !== jobId);
  return peers[0]?.job_id ?? null;
}

async function changePriority(context: Context, [run = "", word = ""]: string[]): Promise<void> {
  const [jobId, priority] = [runIdOf(run), priorityOf(word)];
  const job = await setPriority(context.client(), jobId, priority);
  if (context.json) return context.answer(job);
  const t = context.text.bind(context);
  const said = priorityWord(job.priority, t);
  context.say(t(`Run ${jobId} is ${said} now.`, `训练 ${jobId} 的优先级现为“${said}”。`));
}
