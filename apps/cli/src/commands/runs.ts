// runs, run: what there is, as tables.
import { fetchRun, fetchRuns } from "@spotter/client";
import { headlineValue, listRunFiles, type Run, type RunSummary } from "@spotter/contract";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import { type Context, printable } from "../context.ts";
import { UsageProblem } from "../exit-codes.ts";
import { bytes, dateTime, metric, runDuration, stateWord } from "../format.ts";
import { projectIdOf, runIdOf } from "../lookup.ts";
import { progressLine } from "../progress-line.ts";
import { reasonWords } from "../queue-words.ts";
import { configChangeText, fileLabelWord } from "../run-words.ts";
import { facts, table } from "../table.ts";
import { addProgramOptions, type ProgramOptions, runProgram } from "./run-program.ts";

/** Of a failed run. */
const NUM_LAST_LINES = 12;

interface RunsOptions {
  state?: string;
  project?: string;
  source?: string;
  tag?: string;
  search?: string;
  archived?: boolean;
  sort?: string;
  asc?: boolean;
  metrics?: string;
  limit?: string;
  cursor?: string;
}

/** `hasProgram`: a `--` was typed. Without it a mistyped run number would start a program of that name. */
export function addRunsCommands(
  program: Command,
  bind: Bind,
  t: Context["text"],
  hasProgram: boolean,
): void {
  program
    .command("runs")
    .description(t("list runs, newest first", "列出训练，最新在前"))
    .option("--state <states>", t("only these, comma-separated", "仅这些状态，逗号分隔"))
    .option("--project <project>", t("name or number", "项目名称或编号"))
    .option("--source <source>", "recipe | script | tensorboard")
    .option("--tag <tag>", t("only with this tag", "仅含此标签"))
    .option("-q, --search <text>", t("text in name, note or tags", "名称、备注或标签中的文字"))
    .option("--archived", t("archived ones", "已归档的"))
    .option(
      "--sort <key>",
      t(
        "id | created_at | name | state | duration (time trained, without waiting and pauses) | metric:<name>",
        "id | created_at | name | state | duration（实际训练时长，不含等待与暂停）| metric:<name>",
      ),
    )
    .option("--asc", t("smallest or oldest first", "升序"))
    .option("--metrics <names>", t("columns, comma-separated", "指标列，逗号分隔"))
    .option("--limit <count>", t("rows of a page, at most 500", "每页行数，最多 500"), "30")
    .option("--cursor <cursor>", t("go on behind a page", "从上一页之后继续"))
    .action(bind(listRuns));
  addProgramOptions(program.command("run <run> [arguments...]"), t)
    .description(
      t(
        "one run: state, results, files; or, behind --, a program of your own as a run",
        "查看一个训练：状态、结果、文件；或在 -- 之后写自己的程序，作为训练运行",
      ),
    )
    .action(
      bind(async (context: Context, words: string[], options: ProgramOptions) => {
        if (hasProgram) return runProgram(context, words, options);
        await showRun(context, words);
        return undefined;
      }),
    );
}

async function listRuns(context: Context, _args: string[], options: RunsOptions): Promise<void> {
  const client = context.client();
  const projectId = await projectIdOf(client, options.project);
  const page = await fetchRuns(client, {
    ...(options.state ? { state: options.state } : {}),
    ...(projectId ? { project_id: String(projectId) } : {}),
    ...(options.source ? { source: sourceOf(options.source) } : {}),
    ...(options.tag ? { tag: options.tag } : {}),
    ...(options.search ? { q: options.search } : {}),
    ...(options.archived ? { archived: "true" } : {}),
    ...(options.sort ? { sort: options.sort } : {}),
    ...(options.metrics ? { metrics: options.metrics } : {}),
    ...(options.cursor ? { cursor: options.cursor } : {}),
    direction: options.asc ? "asc" : "desc",
    limit: options.limit ?? "30",
  });
  if (context.json) return context.answer(page);
  if (page.runs.length === 0) return context.say(context.text("No runs.", "没有训练。"));
  context.say(runTable(context, page.runs, options.metrics?.split(",") ?? []));
  if (page.next_cursor !== null)
    context.note(
      context.text(
        `${page.runs.length} of ${page.total}; more with --cursor ${page.next_cursor}`,
        `共 ${page.total}，已显示 ${page.runs.length}；继续：--cursor ${page.next_cursor}`,
      ),
    );
}

function sourceOf(text: string): "recipe" | "script" | "tensorboard" {
  if (text === "recipe" || text === "script" || text === "tensorboard") return text;
  throw new UsageProblem(`--source is recipe, script or tensorboard, not "${text}".`);
}

function runTable(context: Context, runs: readonly RunSummary[], asked: readonly string[]): string {
  const t = context.text.bind(context);
  const now = Date.now() / 1000;
  const metrics = asked.length > 0 ? asked : ["train/loss", "val/accuracy"];
  const head = [
    "#",
    t("name", "名称"),
    t("state", "状态"),
    t("step", "步"),
    ...metrics,
    t("time", "用时"),
    t("created", "创建"),
    t("by", "创建者"),
  ];
  const rows = runs.map((run) => [
    String(run.id),
    printable(run.name).slice(0, 40),
    colored(context, run),
    stepOf(run),
    ...metrics.map((name) => metricText(name, run)),
    runDuration(run, now),
    dateTime(run.created_at),
    printable(run.owner_name ?? ""),
  ]);
  const numbers = [0, 3, ...metrics.map((_, index) => 4 + index), 4 + metrics.length];
  return table(head, rows, numbers);
}

function colored(context: Context, { state }: Pick<RunSummary, "state">): string {
  const word = stateWord(state, context.language);
  if (state === "failed") return context.style("red", word);
  if (state === "finished") return context.style("green", word);
  return state === "running" ? context.style("cyan", word) : word;
}

function stepOf({ progress, last_step: lastStep }: RunSummary): string {
  if (progress === null) return lastStep === null ? "" : String(lastStep);
  return progress.total_steps === null
    ? String(progress.step)
    : `${progress.step}/${progress.total_steps}`;
}

function metricText(name: string, { metrics }: RunSummary): string {
  return metric(name, metrics[name]);
}

/** A mean since the evaluation before is told as such: the last batch's value is in the charts. */
function headlineText(name: string, run: RunSummary, t: Context["text"]): string {
  const found = headlineValue(run, name);
  const mean = found?.isMean ? ` (${t("mean", "均值")})` : "";
  return `${name} ${metric(name, found?.value)}${mean}`;
}

/** A number is a run's; anything else begins a command. */
async function showRun(context: Context, [text = "", ...more]: string[]): Promise<void> {
  if (more.length > 0)
    throw new UsageProblem(`A program is written behind --: spotter run -- ${text} …`);
  const runId = runIdOf(text);
  const client = context.client();
  const run = await fetchRun(client, runId);
  if (context.json) return context.answer(run);
  const { files } = await client.call(listRunFiles, { params: { run_id: runId } });
  context.say(context.style("bold", `#${run.id} ${printable(run.name)}`));
  context.say(facts(factsOf(context, run)));
  const lastLines = (run.error?.traceback ?? "").trimEnd().split("\n").slice(-NUM_LAST_LINES);
  if (lastLines.join("") !== "") {
    context.say(`\n${context.style("bold", context.text("last lines", "最后的输出"))}`);
    for (const line of lastLines) context.say(printable(line));
  }
  const kept = files.filter(({ removed_at }) => removed_at === null);
  if (kept.length === 0) return;
  const t = context.text.bind(context);
  const rows = kept.map((file) => [
    file.kind,
    printable(file.path),
    bytes(file.size),
    file.step === null ? "" : String(file.step),
    fileLabelWord(file, run.best, t),
  ]);
  context.say(
    `\n${table([t("file", "文件"), t("path", "路径"), t("size", "大小"), t("step", "步"), t("label", "标记")], rows, [2, 3])}`,
  );
}

/** What a program said ends as it likes; what stands behind it begins a sentence of its own. */
function sentence(text: string): string {
  return /[.!?。！？]$/.test(text.trimEnd()) ? text : `${text.trimEnd()}.`;
}

function factsOf(context: Context, run: Run): [string, string][] {
  const t = context.text.bind(context);
  const config = Object.entries(run.config).map(
    ([key, value]) => `${key}=${JSON.stringify(value)}`,
  );
  const rows: [string, string][] = [
    [
      t("state", "状态"),
      `${colored(context, run)}${run.reason ? `: ${printable(reasonWords(run.reason, context.language))}` : ""}`,
    ],
    [t("progress", "进度"), run.progress === null ? "" : progressLine(run, context.language)],
    [t("time", "用时"), runDuration(run, Date.now() / 1000)],
    [
      t("best evaluation", "最佳评估"),
      run.best === null
        ? ""
        : `${run.best.metric} ${metricText(run.best.metric, { ...run, metrics: { [run.best.metric]: run.best.value } })} @ ${run.best.step}`,
    ],
    [
      t("metrics", "指标"),
      Object.keys(run.metrics)
        .map((name) => headlineText(name, run, t))
        .join("  "),
    ],
    [t("points", "数据点"), `${run.num_points} (${run.num_series})`],
    [t("device", "设备"), [run.device, run.hostname].filter(Boolean).join(" @ ")],
    [t("attempts", "尝试"), run.attempts.length > 1 ? String(run.attempts.length) : ""],
    [t("config", "配置"), printable(config.join("  "))],
    ...run.config_changes.map((change, index): [string, string] => [
      index === 0 ? t("changed since", "后来修改") : "",
      configChangeText(change, t),
    ]),
    [t("note", "备注"), printable(run.note)],
    [
      t("error", "错误"),
      run.error === null
        ? ""
        : printable(
            `${run.error.kind}: ${sentence(reasonWords(run.error.message, context.language))} ${reasonWords(run.error.hint, context.language)}`,
          ),
    ],
    [t("page", "页面"), `${context.serverUrl()}/runs/${run.id}/charts`],
  ];
  return rows.filter(([, value]) => value !== "");
}
