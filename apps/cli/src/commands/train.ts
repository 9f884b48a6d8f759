// train: queue a training, and watch it if wished.
import { startRun } from "@spotter/client";
import { RecipeName } from "@spotter/contract";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import { describeSettings } from "../config-help.ts";
import { checkKeys } from "../config-keys.ts";
import { readConfig } from "../config-options.ts";
import { type Context, printable } from "../context.ts";
import { UsageProblem } from "../exit-codes.ts";
import { projectIdOf } from "../lookup.ts";
import { addQueueOptions, type QueueOptions, queueWishOf } from "../queue-options.ts";
import { watchRun } from "../watch-run.ts";

interface TrainOptions extends QueueOptions {
  cores?: string;
  set: string[];
  config?: string;
  name?: string;
  project?: string;
  tag: string[];
  model?: string;
  watch?: boolean;
}

const collect = (value: string, previous: string[]) => [...previous, value];

export function addTrainCommand(program: Command, bind: Bind, t: Context["text"]): void {
  addQueueOptions(program.command("train <recipe>"), t)
    .description(t("queue a training", "提交训练"))
    .option("--set <key=value>", t("one setting; may be repeated", "一个设置；可重复"), collect, [])
    .option("--config <file.json>", t("settings from a file", "从文件读取设置"))
    .option("--name <name>", t("the run's name", "训练名称"))
    .option("--project <project>", t("name or number", "项目名称或编号"))
    .option("--tag <tag>", t("may be repeated", "标签；可重复"), collect, [])
    .option("--watch", t("stay and watch it", "提交后实时查看"))
    .option("--cores <count>", t("processor cores for itself", "独占的处理器核数"))
    .option("--model <name>", t("the model to become a version of", "权重归入的模型名称"))
    .addHelpText(
      "after",
      ({ command }) =>
        `${describeSettings(command.args[0], t)}\n${t("Example", "示例")}: spotter train vision --set epochs=5 --set data.path=/data/cats --watch\n${t("A recipe's own settings", "各训练类型的设置")}: spotter train vision --help`,
    )
    .action(bind(train));
}

async function train(context: Context, [recipe = ""]: string[], options: TrainOptions) {
  const known = RecipeName.safeParse(recipe);
  if (!known.success)
    throw new UsageProblem(
      `There is no recipe "${recipe}"; there is: ${RecipeName.options.join(", ")}.`,
    );
  const client = context.client();
  const config = readConfig(options.config, options.set);
  checkKeys(known.data, config);
  const projectId = await projectIdOf(client, options.project);
  const run = await startRun(client, {
    recipe: known.data,
    config,
    tags: options.tag,
    ...queueWishOf(options, options.cores),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.model === undefined ? {} : { model_name: options.model }),
    ...(projectId === undefined ? {} : { project_id: projectId }),
  });
  const page = `${context.serverUrl()}/runs/${run.id}/charts`;
  if (!context.json) {
    const name = printable(run.name);
    context.say(
      context.text(
        `Run ${run.id} "${name}" is queued.  ${page}`,
        `训练 ${run.id}「${name}」已提交。  ${page}`,
      ),
    );
  }
  if (options.watch) return watchRun(context, client, run.id);
  if (context.json) context.answer(run);
  return undefined;
}
