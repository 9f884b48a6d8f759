// What the queue says in fixed English words, in the language of the terminal. Pure.
// A reason that is new to this table stays as it came.
import { type JobKind, workerSentence } from "@spotter/contract";
import type { Language } from "./settings.ts";

const CHINESE_KINDS: Readonly<Record<JobKind, string>> = {
  train: "训练",
  predict: "预测",
  preflight: "预检",
  external: "外部",
};

type Said = (substring: string, ...groups: string[]) => string;

const CHINESE_REASONS: readonly (readonly [RegExp, Said])[] = [
  [
    /^Needs (.+); runs? ([\d, ]+?)( and \d+ more)? holds? (?:it|them)\.$/,
    (_, amount, runs, more) =>
      `需要 ${chineseAmount(amount)}，由训练 ${runs} ${more === undefined ? "" : "等"}占用。`,
  ],
  [
    /^Needs (.+), which others hold\.$/,
    (_, amount) => `需要 ${chineseAmount(amount)}，由其他任务占用。`,
  ],
  [
    /^Needs (.+ of free disk); (.+) are free\.$/,
    (_, amount, free) => `需要 ${chineseAmount(amount)}，目前空闲 ${free}。`,
  ],
  [
    /^Needs (.+); this machine has (.+)\.$/,
    (_, amount, has) => `需要 ${chineseAmount(amount)}，而本机只有 ${has === "none" ? "0" : has}。`,
  ],
  [
    /^Would fit, but run (\d+) is first in line and needs the room\.$/,
    (_, run) => `放得下，但训练 ${run} 排在最前，需要这些资源。`,
  ],
  [
    /^Would fit, but another run is first in line and needs the room\.$/,
    () => "放得下，但另一个训练排在最前，需要这些资源。",
  ],
  [/^Waits in line behind earlier trainings\.$/, () => "排在较早的训练之后。"],
  [
    /^Gives way to (?:run (\d+) \(urgent\)|an urgent run of another project): .+$/,
    (_, run) =>
      `正在为${run === undefined ? "其他项目的紧急训练" : `训练 ${run}（紧急）`}让出资源，之后自动继续。`,
  ],
  [
    /^Pre-empted by (?:run (\d+) \(urgent\)|an urgent run of another project); goes on by itself from (?:step (\d+)|its last checkpoint)\. .+$/,
    (_, run, step) =>
      `被${run === undefined ? "其他项目的紧急训练" : `训练 ${run}（紧急）`}抢占，之后自动从${step === undefined ? "最后的检查点" : `第 ${step} 步`}继续。`,
  ],
  [
    /^Waits for one of its owner's (\d+) running trainings to end: .+$/,
    (_, count) => `其所有者已有 ${count} 个训练在运行，达到每人上限，需等其中一个结束。`,
  ],
  [
    /^Attempt (\d+) of (\d+) was lost and is made good from the last checkpoint: (.+)$/,
    (_, attempt, of, cause) =>
      `共 ${of} 次尝试中的第 ${attempt} 次中断，将从最后的检查点重试：${cause}`,
  ],
  [
    /^Attempt (\d+) of (\d+) was lost while paused, and comes back paused from the last checkpoint: (.+)$/,
    (_, attempt, of, cause) =>
      `共 ${of} 次尝试中的第 ${attempt} 次在暂停时中断，将从最后的检查点恢复并保持暂停：${cause}`,
  ],
  [/^Lost in all of its (\d+) attempts: (.+)$/, (_, of, cause) => `${of} 次尝试全部中断：${cause}`],
  [
    /^Waits for run (\d+) to end: one training runs at a time\.$/,
    (_, run) => `等待训练 ${run} 结束：一次只运行一个训练。`,
  ],
  [/^Waits for an earlier prediction to end\.$/, () => "等待前一次预测结束。"],
  [/^Waits for an earlier pre-flight to end\.$/, () => "等待前一次预检结束。"],
  [
    /^No Python environment is set up for training; run `npm start` once more and read its output\.$/,
    () => "尚未准备好训练所需的 Python 环境；请再次运行 `npm start` 并查看输出。",
  ],
];

export function kindWord(kind: JobKind, language: Language): string {
  return language === "zh" ? CHINESE_KINDS[kind] : kind;
}

export function reasonWords(reason: string | null, language: Language): string {
  if (reason === null) return "";
  const known = language === "zh" ? CHINESE_REASONS.find(([form]) => form.test(reason)) : undefined;
  return known === undefined ? workerSentence(reason, language) : reason.replace(...known);
}

/** `2 CPU cores`, `8 GiB of memory`: what a job needs of the machine. */
function chineseAmount(amount = ""): string {
  return amount
    .replace(/ GPUs?$/, " 个 GPU")
    .replace(/ CPU cores?$/, " 个 CPU 核")
    .replace(/ of GPU memory$/, " 显存")
    .replace(/ of memory$/, " 内存")
    .replace(/ of free disk$/, " 空闲磁盘");
}
