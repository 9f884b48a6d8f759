// All commands of `spotter`, with their help in the person's language.
import { Command, Option } from "commander";
import { type Bind, optionsOf } from "./command-binding.ts";
import { addAlertsCommands } from "./commands/alerts.ts";
import { addAuthCommands } from "./commands/auth.ts";
import { addCompareCommand } from "./commands/compare.ts";
import { addControlCommands } from "./commands/control.ts";
import { addDatasetsCommands } from "./commands/datasets.ts";
import { addForkCommands } from "./commands/forks.ts";
import { addLiveChangeCommands } from "./commands/live-changes.ts";
import { addModelsCommands } from "./commands/models.ts";
import { addPredictCommand } from "./commands/predict.ts";
import { addPreflightCommand } from "./commands/preflight.ts";
import { addQueueCommands } from "./commands/queue.ts";
import { addRunsCommands } from "./commands/runs.ts";
import { addTensorboardCommand } from "./commands/tensorboard.ts";
import { addTrainCommand } from "./commands/train.ts";
import { addWatchCommands } from "./commands/watch.ts";
import { Context, DEFAULT_SERVER, type GlobalOptions, type Streams } from "./context.ts";
import { exitCodes } from "./exit-codes.ts";
import type { Language, Settings } from "./settings.ts";

export const EXIT_CODES_HELP = {
  en: `
Exit codes: 0 done, 1 failure (preflight: a problem was found), 2 wrong usage, 3 not signed in, 4 not found, 5 server unreachable,
6 not allowed, 7 the state does not allow it; watch: 10 the run failed, 11 it was stopped; 130 interrupted.
SPOTTER_URL (or SPOTTER_PORT on this machine) and SPOTTER_TOKEN name another server and token; NO_COLOR switches colours off.`,
  zh: `
退出码：0 成功，1 失败（preflight：发现问题），2 用法错误，3 未登录，4 不存在，5 服务器不可达，6 无权限，7 状态不允许；
watch：10 训练失败，11 训练被停止；130 被中断。
环境变量 SPOTTER_URL（或本机的 SPOTTER_PORT）、SPOTTER_TOKEN 指定服务器与令牌；NO_COLOR 关闭颜色。`,
};

/** Parses and runs; returns the exit code. Throws what goes wrong. */
export async function runProgram(
  argv: readonly string[],
  settings: Settings,
  streams: Streams,
): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const bind: Bind =
    (handler) =>
    async (...given) => {
      // commander hands over: each argument, the options, the command itself.
      const command = given.at(-1) as Command;
      const context = new Context(settings, streams, command.optsWithGlobals<GlobalOptions>());
      const result = await handler(
        context,
        given.slice(0, -2).flat() as string[],
        optionsOf(command) as never,
      );
      exitCode = result ?? exitCodes.ok;
    };
  const language = languageOf(argv, settings.language);
  const text = (english: string, chinese: string) => (language === "zh" ? chinese : english);
  const program = newProgram(language, text, streams);
  addAuthCommands(program, bind, text);
  addTrainCommand(program, bind, text);
  addRunsCommands(program, bind, text, argv.includes("--"));
  addQueueCommands(program, bind, text);
  addWatchCommands(program, bind, text);
  addCompareCommand(program, bind, text);
  addControlCommands(program, bind, text);
  addLiveChangeCommands(program, bind, text);
  addForkCommands(program, bind, text);
  addDatasetsCommands(program, bind, text);
  addModelsCommands(program, bind, text);
  addPredictCommand(program, bind, text);
  addPreflightCommand(program, bind, text);
  addAlertsCommands(program, bind, text);
  addTensorboardCommand(program, bind, text);
  inherit(program);
  await program.parseAsync([...argv], { from: "user" });
  return exitCode;
}

function newProgram(language: Language, t: Context["text"], { stdout, stderr }: Streams): Command {
  return new Command("spotter")
    .description(
      t(
        "Train, watch and steer runs of a Spotter server.",
        "训练、查看并控制 Spotter 服务器上的训练。",
      ),
    )
    .option(
      "--server <url>",
      t(`the server; default ${DEFAULT_SERVER}`, `服务器地址；默认 ${DEFAULT_SERVER}`),
    )
    .option(
      "--json",
      t("answers for programs, in the API's own shapes", "输出 JSON，结构与 API 一致"),
    )
    .option("--no-color", t("no colours", "不使用颜色"))
    .addOption(new Option("--lang <language>", "en | zh").choices(["en", "zh"]))
    .helpOption("-h, --help", t("this help", "显示帮助"))
    .helpCommand(false)
    .addHelpText("after", EXIT_CODES_HELP[language])
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
    });
}

/** So that a mistake in a command's own arguments is thrown too, instead of ending the process. */
function inherit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inherit(child);
  }
}

/** Help is made before options are parsed, so this one is looked for by hand. */
function languageOf(argv: readonly string[], fallback: Language): Language {
  const at = argv.indexOf("--lang");
  const asked = at >= 0 ? argv[at + 1] : argv.find((word) => word.startsWith("--lang="))?.slice(7);
  return asked === "en" || asked === "zh" ? asked : fallback;
}
