// stop, pause, resume, cancel, checkpoint: commands to a run.
import { controlRun, fetchRun, isOver } from "@spotter/client";
import { type ControlAnswer, type RunSummary, resumeRun } from "@spotter/contract";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import type { Context } from "../context.ts";
import { stateWord } from "../format.ts";
import { runIdOf } from "../lookup.ts";

type Action = Parameters<typeof controlRun>[2];

export function addControlCommands(program: Command, bind: Bind, t: Context["text"]): void {
  const add = (action: Action, english: string, chinese: string) =>
    program
      .command(`${action} <run>`)
      .description(t(english, chinese))
      .action(bind((context, [run = ""]) => control(context, runIdOf(run), action)));
  add("stop", "stop a run after saving its state", "保存状态后停止");
  add(
    "cancel",
    "take a run out of the queue, or end it without saving",
    "取消排队，或不保存直接结束",
  );
  add("pause", "pause a run at its next step", "在下一步暂停");
  add("checkpoint", "save a checkpoint now", "立即保存检查点");
  program
    .command("resume <run>")
    .description(
      t(
        "go on: a paused run, or a failed or stopped one from its last checkpoint",
        "继续：已暂停的训练，或从最后检查点继续失败/停止的训练",
      ),
    )
    .action(bind((context, [run = ""]) => resume(context, runIdOf(run))));
}

async function control(context: Context, runId: number, action: Action): Promise<void> {
  const client = context.client();
  const before = await fetchRun(client, runId);
  const answer = await controlRun(client, runId, action);
  if (context.json) return context.answer(answer);
  const t = context.text.bind(context);
  context.say(leftQueue(answer, before, t) ?? sentText(context, answer));
}

function sentText(context: Context, { run_id: runId, action, state }: ControlAnswer): string {
  const word = stateWord(state, context.language);
  return context.text(
    `Run ${runId}: ${action} is sent; it is ${word} now.`,
    `训练 ${runId}：已发送 ${action}，当前${word}。`,
  );
}

/** To a run that waits nothing is sent: it leaves the queue. Null where it did not wait. */
export function leftQueue(
  { run_id: runId, state, command }: Pick<ControlAnswer, "run_id" | "state" | "command">,
  before: Pick<RunSummary, "state">,
  t: Context["text"],
): string | null {
  if (before.state !== "queued" || command !== null || !isOver(state)) return null;
  const out = t(`Run ${runId} is taken out of the queue`, `训练 ${runId} 已移出队列`);
  // One that has trained before is kept as a stopped run.
  return state === "stopped"
    ? `${out}${t(
        `; what it had trained is kept. Go on with: spotter resume ${runId}`,
        `；已训练的部分会保留。继续：spotter resume ${runId}`,
      )}`
    : `${out}${t("; it had not begun.", "；它尚未开始。")}`;
}

async function resume(context: Context, runId: number): Promise<void> {
  const client = context.client();
  const { state } = await fetchRun(client, runId);
  if (!isOver(state)) return control(context, runId, "resume");
  const run = await client.call(resumeRun, { params: { run_id: runId } });
  if (context.json) return context.answer(run);
  context.say(
    context.text(
      `Run ${runId} is queued again and goes on from its last checkpoint.`,
      `训练 ${runId} 已重新排队，将从最后的检查点继续。`,
    ),
  );
}
