// run -- <program> …: a command run, started from the folder that one stands in.
import path from "node:path";
import { startRun } from "@spotter/client";
import type { Command } from "commander";
import { type Context, printable } from "../context.ts";
import { UsageProblem } from "../exit-codes.ts";
import { projectIdOf } from "../lookup.ts";
import { addQueueOptions, type QueueOptions, queueWishOf } from "../queue-options.ts";
import { watchRun } from "../watch-run.ts";

export interface ProgramOptions extends QueueOptions {
  /** False with --no-dir. */
  dir?: string | false;
  env: string[];
  cores?: string;
  memoryMb?: string;
  minutes?: string;
  name?: string;
  project?: string;
  tag: string[];
  watch?: boolean;
}

const collect = (value: string, previous: string[]) => [...previous, value];

export function addProgramOptions(command: Command, t: Context["text"]): Command {
  return addQueueOptions(command, t)
    .option(
      "--dir <folder>",
      t(
        "where the program starts, on the server; default here",
        "程序在服务器上的工作目录；默认为当前目录",
      ),
    )
    .option("--no-dir", t("in a folder of the run's own", "使用该训练自己的目录"))
    .option("--env <NAME=value>", t("may be repeated", "环境变量；可重复"), collect, [])
    .option("--cores <count>", t("processor cores that it may use", "可用的处理器核数"))
    .option("--memory-mb <number>", t("ends it above this", "内存上限，超过即终止"))
    .option("--minutes <number>", t("stops it after this", "时间上限，到时停止"))
    .option("--name <name>", t("the run's name", "训练名称"))
    .option("--project <project>", t("name or number", "项目名称或编号"))
    .option("--tag <tag>", t("may be repeated", "标签；可重复"), collect, [])
    .option("--watch", t("stay and watch it", "提交后实时查看"))
    .addHelpText(
      "after",
      `\n${t("Example", "示例")}: spotter run --watch -- python train.py --lr 3e-4`,
    );
}

export async function runProgram(
  context: Context,
  command: readonly string[],
  options: ProgramOptions,
): Promise<number | undefined> {
  const client = context.client();
  const projectId = await projectIdOf(client, options.project);
  const run = await startRun(client, {
    recipe: "command",
    config: {
      command: [...command],
      ...(options.dir === false ? {} : { working_directory: path.resolve(options.dir ?? ".") }),
      environment: environmentOf(options.env),
      ...numberIn("cpu_cores", "--cores", options.cores),
      ...numberIn("memory_mb", "--memory-mb", options.memoryMb),
      ...numberIn("time_limit_minutes", "--minutes", options.minutes),
    },
    tags: options.tag,
    ...queueWishOf(options),
    ...(options.name === undefined ? {} : { name: options.name }),
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

function environmentOf(settings: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    settings.map((setting) => {
      const at = setting.indexOf("=");
      if (at < 1) throw new UsageProblem(`--env wants NAME=value, not "${setting}".`);
      return [setting.slice(0, at), setting.slice(at + 1)];
    }),
  );
}

function numberIn(key: string, option: string, text: string | undefined): Record<string, number> {
  if (text === undefined) return {};
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value))
    throw new UsageProblem(`${option} wants a number, not "${text}".`);
  return { [key]: value };
}
