// datasets: what there is, what is in one, and upload.
import { createReadStream } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import {
  fetchDataset,
  fetchDatasetPreview,
  fetchDatasets,
  type HttpClient,
  sendDataset,
} from "@spotter/client";
import type { Dataset, DatasetVersion, PreviewRow } from "@spotter/contract";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import { type Context, printable } from "../context.ts";
import { UsageProblem } from "../exit-codes.ts";
import { bytes, dateTime } from "../format.ts";
import { requireFile } from "../given-paths.ts";
import { projectIdOf } from "../lookup.ts";
import { facts, table } from "../table.ts";

const TEXTS = /\.(txt|md|jsonl|ndjson|csv|tsv)$/i;
const PREVIEW_ROWS = 5;

export function addDatasetsCommands(program: Command, bind: Bind, t: Context["text"]): void {
  const project = t("name or number", "项目名称或编号");
  const datasets = program
    .command("datasets")
    .description(t("list datasets, newest first", "列出数据集，最新在前"));
  // As a command of its own, so that its options do not swallow those of the others.
  datasets
    .command("list", { isDefault: true })
    .description(t("list datasets, newest first", "列出数据集，最新在前"))
    .option("--project <project>", project)
    .action(bind(listAll));
  datasets
    .command("show <dataset>")
    .description(t("one dataset, by its name or number", "查看一个数据集，用其名称或编号"))
    .action(bind(showOne));
  datasets
    .command("upload <file>")
    .description(
      t(
        "a zip (one folder a class, or texts), or one .txt, .md, .jsonl, .ndjson, .csv or .tsv file",
        "上传 zip（每个类别一个文件夹，或文本），或一个 .txt、.md、.jsonl、.ndjson、.csv、.tsv 文件",
      ),
    )
    .option("--name <name>", t("by default the file's", "名称，默认取文件名"))
    .option("--project <project>", project)
    .action(bind(upload));
}

async function listAll(
  context: Context,
  _args: string[],
  options: { project?: string },
): Promise<void> {
  const client = context.client();
  const datasets = await fetchDatasets(client, await projectIdOf(client, options.project));
  if (context.json) return context.answer({ datasets });
  const t = context.text.bind(context);
  if (datasets.length === 0) return context.say(t("No datasets.", "没有数据集。"));
  const head = [
    ...[t("number", "编号"), t("name", "名称"), t("kind", "类型"), t("files", "文件")],
    ...[t("rows", "行"), t("classes", "类别"), t("size", "大小"), t("created", "创建")],
  ];
  const rows = datasets.map((dataset) => {
    const version = dataset.versions.at(-1);
    return [
      String(dataset.id),
      printable(dataset.name).slice(0, 40),
      kindWord(context, dataset.kind),
      String(version?.num_files ?? 0),
      String(version?.num_rows ?? ""),
      String(Object.keys(version?.classes ?? {}).length || ""),
      bytes(version?.size ?? 0),
      dateTime(dataset.created_at),
    ];
  });
  context.say(table(head, rows, [0, 3, 4, 5, 6]));
}

async function showOne(context: Context, [wanted = ""]: string[]): Promise<void> {
  const client = context.client();
  const dataset = await fetchDataset(client, await datasetIdOf(client, wanted));
  const version = dataset.versions.at(-1);
  const isText = dataset.kind === "text" && version !== undefined;
  const rows = isText ? (await fetchDatasetPreview(client, version.id, PREVIEW_ROWS)).rows : [];
  if (context.json) return context.answer({ ...dataset, preview: rows });
  tell(context, dataset);
  for (const row of rows) context.say(previewLine(row));
}

async function upload(
  context: Context,
  [file = ""]: string[],
  options: { name?: string; project?: string },
): Promise<void> {
  const client = context.client();
  requireFile(file, "zip it first");
  const isText = TEXTS.test(file);
  if (!isText && !/\.zip$/i.test(file))
    throw new UsageProblem(
      `${file}: give a .zip, or a .txt, .md, .jsonl, .ndjson, .csv or .tsv file.`,
    );
  const fileName = path.basename(file);
  const dataset = await sendDataset(
    client,
    Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>,
    {
      name: (options.name ?? fileName.replace(/\.[a-z]+$/i, "")).slice(0, 200),
      projectId: await projectIdOf(client, options.project),
      file: isText ? fileName : undefined,
    },
  );
  if (context.json) return context.answer(dataset);
  tell(context, dataset);
}

function tell(context: Context, dataset: Dataset): void {
  const t = context.text.bind(context);
  const version = dataset.versions.at(-1);
  const classes = Object.entries(version?.classes ?? {});
  const lines: [string, string][] = [
    [t("dataset", "数据集"), `${dataset.id} ${printable(dataset.name)}`],
    [t("kind", "类型"), kindWord(context, dataset.kind)],
  ];
  if (version !== undefined) {
    lines.push(
      [t("files", "文件"), `${version.num_files}  ${bytes(version.size)}`],
      [t("rows", "行"), version.num_rows === null ? "–" : String(version.num_rows)],
      [t("columns", "列"), printable(version.columns.join(", ")) || "–"],
      [t("classes", "类别"), classes.map(([name, n]) => `${printable(name)} ${n}`).join(", ")],
      [t("left out", "未收入"), numLeftOut(version)],
      [t("train on it", "用于训练"), `--set data.dataset_version=${version.id}`],
    );
  }
  context.say(facts(lines));
  for (const line of leftOutLines(version?.skipped ?? [], t)) context.say(line);
}

/** The server lists so many and then one line, named so, that says how many more there are. */
const MORE = "…";

function numLeftOut({ skipped }: DatasetVersion): string {
  return skipped.at(-1)?.path === MORE ? `${skipped.length - 1}+` : String(skipped.length);
}

/** Each file that an upload left out, and why. */
export function leftOutLines(skipped: DatasetVersion["skipped"], t: Context["text"]): string[] {
  if (skipped.length === 0) return [];
  return [
    t("Left out:", "未收入的文件："),
    ...skipped.map(({ path: file, reason }) => `  ${printable(file)}  ${printable(reason)}`),
  ];
}

function previewLine({ path: file, row, fields }: PreviewRow): string {
  const words = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return printable(`${file}:${row}  ${words.join("  ")}`).slice(0, 300);
}

const KINDS = {
  "image-folder": ["images", "图像"],
  "audio-folder": ["recordings", "录音"],
  text: ["texts", "文本"],
} as const;

function kindWord(context: Context, kind: Dataset["kind"]): string {
  const [english, chinese] = KINDS[kind];
  return context.text(english, chinese);
}

/** By name or number. */
async function datasetIdOf(client: HttpClient, wanted: string): Promise<number> {
  const datasets = await fetchDatasets(client);
  const found =
    datasets.find(({ id }) => String(id) === wanted) ??
    datasets.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  if (found !== undefined) return found.id;
  const names = datasets.map(({ id, name }) => `${id} ${name}`).join(", ");
  throw new UsageProblem(`There is no dataset "${wanted}"; there are: ${names || "none"}.`);
}
