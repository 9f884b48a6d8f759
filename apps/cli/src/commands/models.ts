// models: versions found by metric, tag and stage; one whole; stages and roll back.
import {
  changeModelVersion,
  fetchModels,
  fetchModelVersion,
  fetchModelVersions,
  type HttpClient,
  rollBack,
} from "@spotter/client";
import { ModelStage, type ModelVersion, type ModelVersionDetail } from "@spotter/contract";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import { type Context, printable } from "../context.ts";
import { UsageProblem } from "../exit-codes.ts";
import { bytes, dateTime, number } from "../format.ts";
import { versionIdOf } from "../lookup.ts";
import { facts, table } from "../table.ts";

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
    .option("--metric <name>", t("sort by it, best first", "按此指标降序排列"))
    .option("--min <value>", t("at least, with --metric", "下限，与 --metric 同用"))
    .option("--max <value>", t("at most, with --metric", "上限，与 --metric 同用"))
    .option("--tag <tag>", t("only with this tag", "仅含此标签"))
    .option("--stage <stage>", "none | staging | production | archived")
    .option("-q, --search <text>", t("text in name, note or tags", "名称、备注或标签中的文字"))
    .option("--limit <count>", t("rows, at most 500", "行数，最多 500"), "30")
    .action(bind(listVersions));
  models
    .command("show <version>")
    .description(t("one version, by its id: v7 or 7", "查看一个版本，用其编号：v7 或 7"))
    .action(bind(showVersion));
  models
    .command("stage <version> <stage>")
    .description(t("move a version to a stage", "把版本移到某个阶段"))
    .action(bind(stageVersion));
  models
    .command("rollback <model>")
    .description(t("bring back what was in production before", "让生产环境回到上一个版本"))
    .action(bind(rollBackModel));
}

async function listVersions(
  context: Context,
  _args: string[],
  options: ModelsOptions,
): Promise<void> {
  if (options.metric === undefined && (options.min ?? options.max) !== undefined)
    throw new UsageProblem("--min and --max bound a metric; name it with --metric.");
  const page = await fetchModelVersions(context.client(), {
    ...(options.metric ? { metric: options.metric, sort: `metric:${options.metric}` } : {}),
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
    `v${version.id}`,
    printable(version.name).slice(0, 40),
    String(version.version),
    stageWord(context, version.stage),
    number(version.metrics[metric]),
    bytes(version.weights.size),
    `#${version.run_id}`,
    dateTime(version.created_at),
    printable(version.tags.join(" ")),
  ]);
  return table(head, rows, [2, 4, 5]);
}

const CHINESE_STAGES = { none: "无", staging: "预发布", production: "生产", archived: "已归档" };

function stageWord(context: Context, stage: ModelStage): string {
  const word = context.text(stage, CHINESE_STAGES[stage]);
  return stage === "production" ? context.style("green", word) : word;
}

async function showVersion(context: Context, [version = ""]: string[]): Promise<void> {
  const found = await fetchModelVersion(context.client(), versionIdOf(version));
  tell(context, found);
}

function tell(context: Context, version: ModelVersionDetail): void {
  if (context.json) {
    context.answer(version);
    return;
  }
  const t = context.text.bind(context);
  const { parent, code_revision: code, weights } = version;
  context.say(
    facts([
      [t("model", "模型"), `${printable(version.name)} ${t("version", "版本")} ${version.version}`],
      [t("stage", "阶段"), stageWord(context, version.stage)],
      [t("run", "训练"), `#${version.run_id} ${printable(version.run_name)}`],
      [t("data", "数据"), printable(version.data.name)],
      [t("from", "来自"), parent === null ? "–" : `${printable(parent.name)} ${parent.version}`],
      [t("code", "代码"), code === null ? "–" : `${code.revision}${code.dirty ? "*" : ""}`],
      [t("weights", "权重"), `${bytes(weights.size)}  ${weights.sha256.slice(0, 12)}`],
      [
        t("latency", "延迟"),
        version.latency_ms === null ? "–" : `${number(version.latency_ms)} ms`,
      ],
      [t("tags", "标签"), printable(version.tags.join(" "))],
      [t("note", "备注"), printable(version.note)],
      ...Object.entries(version.metrics).map(
        ([name, value]) => [printable(name), number(value)] as [string, string],
      ),
    ]),
  );
}

async function stageVersion(context: Context, [version = "", stage = ""]: string[]): Promise<void> {
  const change = { stage: stageOf(stage) };
  tell(context, await changeModelVersion(context.client(), versionIdOf(version), change));
}

async function rollBackModel(context: Context, [name = ""]: string[]): Promise<void> {
  const client = context.client();
  const model = await rollBack(client, await modelIdOf(client, name));
  if (context.json) return context.answer(model);
  const version = model.production?.version ?? "–";
  context.say(
    context.text(
      `${printable(model.name)}: version ${version} is in production.`,
      `${printable(model.name)}：版本 ${version} 已回到生产。`,
    ),
  );
}

/** By name or number. */
async function modelIdOf(client: HttpClient, text: string): Promise<number> {
  const models = await fetchModels(client);
  const found =
    models.find(({ name }) => name.toLowerCase() === text.toLowerCase()) ??
    models.find(({ id }) => String(id) === text);
  if (found !== undefined) return found.id;
  const names = models.map(({ name }) => name).join(", ");
  throw new UsageProblem(`There is no model "${text}"; there are: ${names || "none"}.`);
}

function stageOf(text: string): ModelStage {
  const stage = ModelStage.safeParse(text);
  if (stage.success) return stage.data;
  throw new UsageProblem(`A stage is ${ModelStage.options.join(", ")}, not "${text}".`);
}
