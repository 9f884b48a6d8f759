// preflight: look at a training before it starts. Exit code 1 when a problem was found.
import { ApiError, followPreflight } from "@spotter/client";
import { DEFAULT_PREFLIGHT_BUDGET_S, type Preflight, RecipeName } from "@spotter/contract";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import { checkKeys } from "../config-keys.ts";
import { readConfig } from "../config-options.ts";
import type { Context } from "../context.ts";
import { exitCodes, UsageProblem } from "../exit-codes.ts";
import { projectIdOf } from "../lookup.ts";
import { checkWords, reportLines } from "../preflight-text.ts";
import { reasonWords } from "../queue-words.ts";

interface PreflightOptions {
  set: string[];
  config?: string;
  project?: string;
  budget?: string;
  trials: boolean;
}

const collect = (value: string, previous: string[]) => [...previous, value];

export function addPreflightCommand(program: Command, bind: Bind, t: Context["text"]): void {
  program
    .command("preflight <recipe>")
    .description(
      t(
        "look at a training before it starts: data, memory, first loss, learning rate",
        "训练前预检：数据、内存、初始损失、学习率",
      ),
    )
    .option("--set <key=value>", t("one setting; may be repeated", "一个设置；可重复"), collect, [])
    .option("--config <file.json>", t("settings from a file", "从文件读取设置"))
    .option("--project <project>", t("name or number", "项目名称或编号"))
    .option(
      "--budget <seconds>",
      t(
        `time for all checks together; default ${DEFAULT_PREFLIGHT_BUDGET_S}`,
        `全部检查的总时限（秒）；默认 ${DEFAULT_PREFLIGHT_BUDGET_S}`,
      ),
    )
    .option(
      "--no-trials",
      t(
        "without what trains for a while: learning rates and one batch",
        "跳过需要训练的检查：学习率与单批次记忆",
      ),
    )
    .addHelpText(
      "after",
      `\n${t("Example", "示例")}: spotter preflight vision --set data.path=/data/cats --set learning_rate=0.01`,
    )
    .action(bind(preflight));
}

async function preflight(
  context: Context,
  [recipe = ""]: string[],
  options: PreflightOptions,
): Promise<number> {
  const known = RecipeName.safeParse(recipe);
  if (!known.success)
    throw new UsageProblem(
      `There is no recipe "${recipe}"; there is: ${RecipeName.options.join(", ")}.`,
    );
  if (known.data === "command")
    throw new UsageProblem(
      context.text(
        "A program of your own (command) has no pre-flight: Spotter cannot look into it. Try it with little work and a time limit: spotter run --minutes 2 --watch -- python train.py",
        "自己的程序（command）没有预检：Spotter 无法查看其内部。可用少量数据和时间上限试跑：spotter run --minutes 2 --watch -- python train.py",
      ),
    );
  const client = context.client();
  const config = readConfig(options.config, options.set);
  checkKeys(known.data, config);
  const projectId = await projectIdOf(client, options.project);
  const budget = options.budget === undefined ? {} : { budget_s: budgetOf(options.budget) };
  const looks = followPreflight(client, {
    ...{ recipe: known.data, config, trials: options.trials, ...budget },
    ...(projectId === undefined ? {} : { project_id: projectId }),
  });
  const end = await lastOf(context, looks);
  return end === null ? exitCodes.interrupted : tell(context, end);
}

/** @returns null when the person has had enough; the pre-flight is cancelled then */
async function lastOf(
  context: Context,
  looks: AsyncGenerator<Preflight, void, undefined>,
): Promise<Preflight | null> {
  let isInterrupted = false;
  let last: Preflight | null = null;
  let told = "";
  const interrupt = () => {
    isInterrupted = true;
  };
  process.once("SIGINT", interrupt);
  try {
    for await (const look of looks) {
      last = look;
      const now = look.report?.now ?? null;
      const line =
        now === null
          ? reasonWords(look.reason, context.language)
          : checkWords(now, context.language);
      if (line !== told && line !== "" && !context.json) context.note(`… ${line}`);
      told = line;
      // Leaving the loop ends the generator, which cancels the job.
      if (isInterrupted) return null;
    }
  } finally {
    process.off("SIGINT", interrupt);
  }
  return last;
}

function tell(context: Context, end: Preflight): number {
  const { report } = end;
  if (end.state !== "finished" || report === null)
    throw new ApiError(
      "preflight-failed",
      422,
      end.reason ??
        context.text("The pre-flight ended without a report.", "预检结束，但没有结果。"),
    );
  if (context.json) context.answer(end);
  else
    for (const line of reportLines(report, context.language, (style, text) =>
      context.style(style, text),
    ))
      context.say(line);
  return report.verdict === "problem" ? exitCodes.failure : exitCodes.ok;
}

function budgetOf(text: string): number {
  const seconds = Number(text);
  if (seconds >= 2 && seconds <= 300) return seconds;
  throw new UsageProblem(`--budget wants seconds from 2 to 300, not "${text}".`);
}
