// predict: a run's saved weights classify images, or samples of its own test split.
import { readFileSync } from "node:fs";
import path from "node:path";
import { predict } from "@spotter/client";
import type { Prediction } from "@spotter/contract";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import { type Context, printable } from "../context.ts";
import { UsageProblem } from "../exit-codes.ts";
import { percent } from "../format.ts";
import { runIdOf } from "../lookup.ts";
import { table } from "../table.ts";

/** As many as one request takes. */
const IMAGES_A_CALL = 16;
const MAX_TEST_SAMPLES = 64;

export function addPredictCommand(program: Command, bind: Bind, t: Context["text"]): void {
  program
    .command("predict <run> [images...]")
    .description(t("classify images with a run's saved weights", "用训练保存的权重对图像分类"))
    .option("--test <count>", t("samples of the run's own test split", "使用该训练测试集中的样本"))
    .action(bind(predictCommand));
}

async function predictCommand(
  context: Context,
  [run = "", ...files]: string[],
  options: { test?: string },
): Promise<void> {
  const runId = runIdOf(run);
  const samples = samplesOf(options.test);
  if (files.length === 0 && samples === 0)
    throw new UsageProblem("Give image files, or --test N for samples of the test split.");
  const client = context.client();
  const images = files.map(readImage);
  const requests = samples > 0 ? [{ test_samples: samples, inputs: [] as typeof images }] : [];
  for (let start = 0; start < images.length; start += IMAGES_A_CALL)
    requests.push({ test_samples: 0, inputs: images.slice(start, start + IMAGES_A_CALL) });
  const predictions: Prediction[] = [];
  let first: Awaited<ReturnType<typeof predict>> | null = null;
  for (const request of requests) {
    const answer = await predict(client, runId, request);
    first ??= answer;
    predictions.push(...answer.predictions);
  }
  if (first === null) return;
  if (context.json) return context.answer({ ...first, predictions });
  show(context, predictions);
  context.note(`${first.weights}  sha256 ${first.sha256.slice(0, 12)}`);
}

function show(context: Context, predictions: readonly Prediction[]): void {
  const t = context.text.bind(context);
  const head = [
    t("input", "输入"),
    t("label", "类别"),
    t("confidence", "置信度"),
    t("next", "其次"),
    t("truth", "真值"),
  ];
  const rows = predictions.map((prediction) => {
    const { truth, label } = prediction;
    const second = prediction.top.find((other) => other.label !== label);
    const mark = truth === null ? "" : `${truth === label ? "✓" : "✗"} ${printable(truth)}`;
    return [
      printable(prediction.input),
      printable(label ?? prediction.text ?? ""),
      prediction.confidence === null ? "" : percent(prediction.confidence),
      second === undefined ? "" : `${printable(second.label)} ${percent(second.confidence)}`,
      truth === label ? context.style("green", mark) : context.style("red", mark),
    ];
  });
  context.say(table(head, rows, [2]));
}

function readImage(file: string): { name: string; base64: string } {
  try {
    return {
      name: path.basename(file).slice(0, 200),
      base64: readFileSync(file).toString("base64"),
    };
  } catch (error) {
    throw new UsageProblem(`${file} cannot be read: ${(error as Error).message}`);
  }
}

function samplesOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= MAX_TEST_SAMPLES) return count;
  throw new UsageProblem(`--test wants a number from 1 to ${MAX_TEST_SAMPLES}, not "${text}".`);
}
