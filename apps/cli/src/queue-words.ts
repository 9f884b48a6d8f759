// What the queue says in fixed English words, in the language of the terminal. Pure.
// A reason that is new to this table stays as it came.
import type { JobKind } from "@spotter/contract";
import type { Language } from "./settings.ts";

const CHINESE_KINDS: Readonly<Record<JobKind, string>> = {
  train: "训练",
  predict: "预测",
  preflight: "预检",
  external: "外部",
};

const CHINESE_REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /^Waits for run (\d+) to end: one training runs at a time\.$/,
    "等待训练 $1 结束：一次只运行一个训练。",
  ],
  [/^Waits for an earlier prediction to end\.$/, "等待前一次预测结束。"],
  [/^Waits for an earlier pre-flight to end\.$/, "等待前一次预检结束。"],
  [
    /^No Python environment is set up for training; run `npm start` once more and read its output\.$/,
    "尚未准备好训练所需的 Python 环境；请再次运行 `npm start` 并查看输出。",
  ],
];

export function kindWord(kind: JobKind, language: Language): string {
  return language === "zh" ? CHINESE_KINDS[kind] : kind;
}

export function reasonWords(reason: string | null, language: Language): string {
  if (reason === null) return "";
  const known = language === "zh" ? CHINESE_REASONS.find(([form]) => form.test(reason)) : undefined;
  return known === undefined ? reason : reason.replace(...known);
}
