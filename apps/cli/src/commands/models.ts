// models: versions found by metric, tag and stage; one whole.
import { fetchModelVersion, fetchModelVersions } from "@spotter/client";
import { type ModelVersion, metricDirection } from "@spotter/contract";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import { type Context, printable } from "../context.ts";
import { UsageProblem } from "../exit-codes.ts";
import { bytes, dateTime, metric as metricText } from "../format.ts";
import { versionIdOf } from "../lookup.ts";
import { table } from "../table.ts";
import { addModelChanges } from "./model-changes.ts";
import { compareVersions } from "./model-compare.ts";
import { stageOf, stageWord, tell } from "./model-views.ts";

interface ModelsOptions {
  metric?: string;
  min?: string;
  max?: string;
  tag?: string;
  stage?: string;
  search?: string;
  limit?: string;
}

export function addModelsCommands(program: Command, bind: Bind, t: Context["text"]): void {
  const models = program
    .command("models")
    .description(t("list model versions, newest first", "列出模型版本，最新在前"))
    .option(
      "--metric <name>",
      t("only those that have it, best first", "仅含有此指标的版本，最优在前"),
    )
    .option("--min <value>", t("at least, with --metric", "下限，与 --metric 同用"))
    .option("--max <value>", t("at most, with --metric", "上限，与 --metric 同用"))
    .option("--tag <tag>", t("only with this tag", "仅含此标签"))
    .option("--stage <stage>", "none | staging | production | archived")
    .option("-q, --search <text>", t("text in name, note or tags", "名称、备注或标签中的文字"))
    .option("--limit <count>", t("rows, at most 500", "行数，最多 500"), "30")
    .action(bind(listVersions));
  models
    .command("show <version>")
    .description(
      t(
        "one version: name@2, name@production, or its id",
        "查看一个版本：名称@2、名称@production 或编号",
      ),
    )
    .action(bind(showVersion));
  models
    .command("compare <versions...>")
    .description(t("metrics and configs of versions side by side", "并排对比版本的指标与配置"))
    .action(bind(compareVersions));
  addModelChanges(models, bind, t);
}

async function listVersions(
  context: Context,
  _args: string[],
  options: ModelsOptions,
): Promise<void> {
  if (options.metric === undefined && (options.min ?? options.max) !== undefined)
    throw new UsageProblem("--min and --max bound a metric; name it with --metric.");
  const page = await fetchModelVersions(context.client(), {
    ...(options.metric ? bestFirst(options.metric) : {}),
    ...(options.min ? { min: options.min } : {}),
    ...(options.max ? { max: options.max } : {}),
    ...(options.tag ? { tag: options.tag } : {}),
    ...(options.stage ? { stage: stageOf(options.stage) } : {}),
    ...(options.search ? { q: options.search } : {}),
    limit: options.limit ?? "30",
  });
  if (context.json) return context.answer(page);
  if (page.versions.length === 0)
    return context.say(context.text("No model versions.", "没有模型版本。"));
  context.say(versionTable(context, page.versions, options.metric ?? "test/accuracy"));
}

function bestFirst(metric: string) {
  const direction = metricDirection(metric) === "lower" ? "asc" : "desc";
  return { metric, sort: `metric:${metric}`, direction } as const;
}

function versionTable(context: Context, versions: readonly ModelVersion[], metric: string): string {
  const t = context.text.bind(context);
  const head = [
    t("id", "编号"),
    t("model", "模型"),
    t("version", "版本"),
    t("stage", "阶段"),
    metric,
    t("size", "大小"),
    t("run", "训练"),
    t("created", "创建"),
    t("tags", "标签"),
  ];
  const rows = versions.map((version) => [
    String(version.id),
    printable(version.name).slice(0, 40),
    String(version.version),
    stageWord(context, version.stage),
    metricText(metric, version.metrics[metric]),
    bytes(version.weights.size),
    `#${version.run_id}`,
    dateTime(version.created_at),
    printable(version.tags.join(" ")),
  ]);
  return table(head, rows, [2, 4, 5]);
}

async function showVersion(context: Context, [version = ""]: string[]): Promise<void> {
  const client = context.client();
  tell(context, await fetchModelVersion(client, await versionIdOf(client, version)));
}
