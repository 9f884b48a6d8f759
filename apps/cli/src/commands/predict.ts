// predict: the weights of a run (42) or a model version (name@2) answer files, texts, or samples of the test split.
import path from "node:path";
import { ApiError, predict, predictWithVersion } from "@spotter/client";
import type { GivenInput, PredictAnswer } from "@spotter/contract";
import type { Command } from "commander";
import type { Bind } from "../command-binding.ts";
import { type Context, printable } from "../context.ts";
import { exitCodes, UsageProblem } from "../exit-codes.ts";
import { readGivenFile } from "../given-paths.ts";
import { meansVersion, runIdOf, versionIdOf } from "../lookup.ts";
import { predictionText } from "../prediction-text.ts";

/** As many as one request takes. */
const INPUTS_A_CALL = 16;
const MAX_TEST_SAMPLES = 64;

export function addPredictCommand(program: Command, bind: Bind, t: Context["text"]): void {
  program
    .command("predict <run-or-version> [files...]")
    .description(
      t(
        "let the weights of a run (42) or a model version (name@2, id7) answer",
        "用训练（42）或模型版本（名称@2、id7）的权重作答",
      ),
    )
    .option(
      "--text <text>",
      t("a text to answer; with a file: the question", "文本；与文件同用时为问题"),
    )
    .option("--test <count>", t("samples of the run's own test split", "使用该训练测试集中的样本"))
    .action(bind(predictCommand));
}

async function predictCommand(
  context: Context,
  [asked = "", ...files]: string[],
  options: { test?: string; text?: string },
): Promise<number> {
  const isVersion = meansVersion(asked);
  // Before the files: whoever names a file first learns that a run is missing.
  const runId = isVersion ? null : runIdOf(asked);
  const samples = samplesOf(options.test);
  const inputs = inputsOf(files, options.text);
  if (inputs.length === 0 && samples === 0)
    throw new UsageProblem("Give files, --text, or --test N for samples of the test split.");
  const client = context.client();
  const id = runId ?? (await versionIdOf(client, asked));
  const requests = samples > 0 ? [{ test_samples: samples, inputs: [] as GivenInput[] }] : [];
  for (let start = 0; start < inputs.length; start += INPUTS_A_CALL)
    requests.push({ test_samples: 0, inputs: inputs.slice(start, start + INPUTS_A_CALL) });
  const { answer, refusals } = await askAll(requests, (request) =>
    (isVersion ? predictWithVersion : predict)(client, id, request),
  );
  if (context.json) context.answer(answer);
  else {
    context.say(predictionText(answer.predictions, context));
    const { weights, sha256, latency_ms } = answer;
    context.note(`${weights}  sha256 ${sha256.slice(0, 12)}  ${latency_ms.toPrecision(3)} ms`);
  }
  for (const { input, reason } of answer.failures) context.note(printable(`✗ ${input}: ${reason}`));
  for (const refusal of refusals) context.note(printable(`✗ ${refusal.message}`));
  return answer.failures.length + refusals.length > 0 ? exitCodes.failure : exitCodes.ok;
}

/** Sixteen inputs of which none can be answered do not keep the others from being answered. */
async function askAll<Request>(
  requests: readonly Request[],
  ask: (request: Request) => Promise<PredictAnswer>,
): Promise<{ answer: PredictAnswer; refusals: ApiError[] }> {
  const answers: PredictAnswer[] = [];
  const refusals: ApiError[] = [];
  for (const request of requests)
    try {
      answers.push(await ask(request));
    } catch (error) {
      if (!(error instanceof ApiError && error.code === "prediction-failed")) throw error;
      refusals.push(error);
    }
  const [first] = answers;
  if (first === undefined) throw refusals[0] ?? new Error("Nothing was asked.");
  const predictions = answers.flatMap((one) => one.predictions);
  const failures = answers.flatMap((one) => one.failures);
  return { answer: { ...first, predictions, failures }, refusals };
}

function inputsOf(files: readonly string[], text: string | undefined): GivenInput[] {
  if (files.length === 0) return text === undefined ? [] : [{ name: text.slice(0, 60), text }];
  return files.map((file) => ({ ...readInput(file), ...(text === undefined ? {} : { text }) }));
}

function readInput(file: string): { name: string; base64: string } {
  return {
    name: path.basename(file).slice(0, 200),
    base64: readGivenFile(file).toString("base64"),
  };
}

function samplesOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= MAX_TEST_SAMPLES) return count;
  throw new UsageProblem(`--test wants a number from 1 to ${MAX_TEST_SAMPLES}, not "${text}".`);
}
