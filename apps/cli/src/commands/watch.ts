// watch and logs: one run, live.
import {
  eachLogLine,
  fetchLastLogs,
  fetchRun,
  followRuns,
  isOver,
  type LogLevelName,
  untilLastLines,
} from "@spotter/client";
import { LogLevel, type LogLine } from "@spotter/contract";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import type { Context } from "../context.ts";
import { exitCodes, UsageProblem } from "../exit-codes.ts";
import { logText } from "../log-text.ts";
import { runIdOf } from "../lookup.ts";
import { watchRun } from "../watch-run.ts";

interface LogsOptions {
  follow?: boolean;
  level?: string;
  lines?: string;
  all?: boolean;
}

export function addWatchCommands(program: Command, bind: Bind, t: Context["text"]): void {
  program
    .command("watch <run>")
    .description(
      t(
        "watch a run live; exit code 0 finished, 10 failed, 11 stopped",
        "实时查看训练；退出码 0 完成、10 失败、11 停止",
      ),
    )
    .action(bind((context, [run = ""]) => watchRun(context, context.client(), runIdOf(run))));
  program
    .command("logs <run>")
    .description(t("a run's log", "查看日志"))
    .option("-f, --follow", t("stay and show what comes", "持续显示新日志"))
    .option(
      "--level <level>",
      t("debug | info | warning | error and worse", "debug | info | warning | error 及更严重"),
    )
    .option("-n, --lines <count>", t("so many last lines", "最后若干行"), "50")
    .option("--all", t("from the first line", "从第一行开始"))
    .action(bind(logs));
}

async function logs(context: Context, [text = ""]: string[], options: LogsOptions) {
  const client = context.client();
  const runId = runIdOf(text);
  const level = levelOf(options.level);
  let last = 0;
  const print = (line: LogLine) => {
    if (line.line_no <= last) return;
    last = line.line_no;
    if (level !== undefined && !isAsBad(line.level, level)) return;
    if (context.json) context.answerLine(line);
    else context.say(logText(context, line));
  };
  const readFirst = async () => {
    if (options.all || last > 0)
      for await (const line of eachLogLine(client, runId, { after: last, level })) print(line);
    else
      for (const line of await fetchLastLogs(client, runId, {
        count: countOf(options.lines),
        level,
      }))
        print(line);
  };
  if (!options.follow) {
    await readFirst();
    return undefined;
  }
  return follow(context, runId, readFirst, print);
}

/** First opens the stream, then reads what was, so that no line falls between. Ends with the run. */
async function follow(
  context: Context,
  runId: number,
  readFirst: () => Promise<void>,
  print: (line: LogLine) => void,
): Promise<number> {
  const client = context.client();
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once("SIGINT", interrupt);
  const options = {
    runs: [runId],
    topics: ["runs" as const, "logs" as const],
    signal: stop.signal,
  };
  let isEnded = false;
  try {
    for await (const { event } of followRuns(client, options)) {
      if (event.type === "stream-opened") {
        await readFirst();
        isEnded = isOver((await fetchRun(client, runId)).state);
      }
      if (event.type === "log-appended") event.lines.forEach(print);
      if (event.type === "run-changed" && event.run.id === runId) isEnded = isOver(event.run.state);
      if (isEnded) break;
    }
    if (!isEnded) return exitCodes.interrupted;
    await untilLastLines(client, runId, stop.signal);
    await readFirst();
    return exitCodes.ok;
  } finally {
    process.off("SIGINT", interrupt);
  }
}

function levelOf(text: string | undefined): LogLevelName | undefined {
  if (text === undefined) return undefined;
  const level = LogLevel.safeParse(text);
  if (level.success) return level.data;
  throw new UsageProblem(`--level is debug, info, warning or error, not "${text}".`);
}

function isAsBad(level: LogLevelName, least: LogLevelName): boolean {
  return LogLevel.options.indexOf(level) >= LogLevel.options.indexOf(least);
}

function countOf(text: string | undefined): number {
  const count = Number(text ?? 50);
  if (Number.isInteger(count) && count > 0) return Math.min(count, 5000);
  throw new UsageProblem(`--lines wants a whole number, not "${text}".`);
}
