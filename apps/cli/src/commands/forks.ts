// fork, lineage: runs that begin in another run's checkpoint, and the family that grows from them.
import { fetchLineage, fetchRun, forkRun, previewFork } from "@spotter/client";
import type { ForkPlan, ForkRequest } from "@spotter/contract";
import type { Command } from "commander";
import type { z } from "zod";
import type { Bind } from "../command-binding.ts";
import { checkKeys } from "../config-keys.ts";
import { readConfig } from "../config-options.ts";
import { type Context, printable } from "../context.ts";
import { UsageProblem } from "../exit-codes.ts";
import { lineageText, planText } from "../fork-text.ts";
import { runIdOf } from "../lookup.ts";
import { addQueueOptions, type QueueOptions, queueWishOf } from "../queue-options.ts";

interface ForkOptions extends QueueOptions {
  step: string;
  set: string[];
  config?: string;
  keep?: string;
  seeds: string;
  name?: string;
  tag: string[];
  dryRun?: boolean;
  cores?: string;
}

type Kept = NonNullable<z.input<typeof ForkRequest>["keep"]>;
const PARTS = ["optimizer", "scheduler", "rng", "data_position"] as const;
const collect = (value: string, previous: string[]) => [...previous, value];

export function addForkCommands(program: Command, bind: Bind, t: Context["text"]): void {
  const command = program
    .command("fork <run>")
    .description(
      t(
        "new runs that begin in a checkpoint of this one, with a change",
        "从训练的检查点开始新的训练，可带改动",
      ),
    )
    .option(
      "--step <step>",
      t(
        "a step, last, or best: the best kept checkpoint",
        "步数、last 或 best（已保留的最佳检查点）",
      ),
      "last",
    )
    .option("--set <key=value>", t("one change; may be repeated", "一处改动；可重复"), collect, [])
    .option("--config <file.json>", t("changes from a file", "从文件读取改动"))
    .option(
      "--keep <parts>",
      t(
        `only these, besides the weights: ${PARTS.join(",")}, or none; default: all that the changes allow`,
        `除权重外只保留这些：${PARTS.join(",")}，或 none；默认保留改动所允许的全部`,
      ),
    )
    .option(
      "--seeds <count>",
      t("so many forks, each with its own seed", "分叉数，各用一个种子"),
      "1",
    )
    .option("--name <name>", t("the fork's name", "分叉名称"))
    .option("--tag <tag>", t("may be repeated", "标签；可重复"), collect, [])
    .option("--cores <count>", t("CPU cores for itself", "独占的 CPU 核数"))
    .option("--dry-run", t("only say what would happen", "只说明将会发生什么"))
    .addHelpText(
      "after",
      `\n${t("Example", "示例")}: spotter fork 42 --step best --set learning_rate=1e-4 --keep optimizer,rng,data_position`,
    )
    .action(bind(fork));
  addQueueOptions(command, t);
  program
    .command("lineage <run>")
    .description(t("a run's ancestors and forks", "训练的祖先与分叉"))
    .action(bind(showLineage));
}

async function fork(context: Context, [text = ""]: string[], options: ForkOptions): Promise<void> {
  const runId = runIdOf(text);
  const client = context.client();
  const changes = readConfig(options.config, options.set);
  const { recipe } = await fetchRun(client, runId);
  // A mistyped key is told with its neighbours; runs without a recipe are refused by the server.
  if (recipe !== null) checkKeys(recipe, changes);
  const request: z.input<typeof ForkRequest> = {
    checkpoint: checkpointOf(options.step),
    keep: keepOf(options.keep),
    changes,
    seeds: seedsOf(options.seeds),
    tags: options.tag,
    ...queueWishOf(options, options.cores),
    ...(options.name === undefined ? {} : { name: options.name }),
  };
  if (options.dryRun) {
    const plan = await previewFork(client, runId, request);
    if (context.json) return context.answer(plan);
    return sayPlan(context, plan);
  }
  const answer = await forkRun(client, runId, request);
  if (context.json) return context.answer(answer);
  sayPlan(context, answer.plan);
  for (const run of answer.runs)
    context.say(
      context.text(
        `Run ${run.id} "${printable(run.name)}" is queued.  ${context.serverUrl()}/runs/${run.id}/charts`,
        `训练 ${run.id}「${printable(run.name)}」已提交。  ${context.serverUrl()}/runs/${run.id}/charts`,
      ),
    );
}

function sayPlan(context: Context, plan: ForkPlan): void {
  context.say(planText(plan, context.language));
}

async function showLineage(context: Context, [text = ""]: string[]): Promise<void> {
  const lineage = await fetchLineage(context.client(), runIdOf(text));
  if (context.json) return context.answer(lineage);
  context.say(lineageText(lineage, context.language));
}

function checkpointOf(text: string): z.input<typeof ForkRequest>["checkpoint"] {
  if (text === "best" || text === "last") return text;
  if (!/^[1-9][0-9]{0,14}$/.test(text))
    throw new UsageProblem(`--step is a step, best or last, not "${text}".`);
  return Number(text);
}

/** Without the option all is kept that can be; a list insists on what it names. */
function keepOf(text: string | undefined): Kept {
  if (text === undefined) return {};
  const named = text.split(",").map((word) => word.trim().replace("-", "_"));
  const wanted = named.filter((word) => word !== "" && word !== "none" && word !== "weights");
  const unknown = wanted.find((word) => !PARTS.some((part) => part === word));
  if (unknown !== undefined)
    throw new UsageProblem(
      `--keep names ${PARTS.join(", ")} (weights are always kept) or none, not "${unknown}".`,
    );
  return Object.fromEntries(PARTS.map((part) => [part, wanted.includes(part)]));
}

function seedsOf(text: string): number {
  if (!/^[1-9][0-9]?$/.test(text)) throw new UsageProblem(`--seeds is a number, not "${text}".`);
  return Number(text);
}
