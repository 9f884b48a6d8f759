// What the terminal says of a run's values that people changed while it trained.
import {
  type ChangeStanding,
  type ConfigChange,
  fileLabelOf,
  nullWordOf,
  type Run,
  type RunFile,
} from "@spotter/contract";
import { printable } from "./context.ts";
import { number } from "./format.ts";

type Text = (english: string, chinese: string) => string;

/** `learning_rate 0.003 → 0.0001 from step 121 on, ada: the loss jumps` */
export function configChangeText(change: ConfigChange, t: Text): string {
  const { key, from, to, from_step: step, by_name: name, reason } = change;
  const since = step === null ? "" : t(` from step ${step} on`, `，自第 ${step} 步起`);
  const who = printable(name ?? "–");
  const why = reason === null ? "" : t(`: ${printable(reason)}`, `：${printable(reason)}`);
  return `${printable(key)} ${valueText(key, from, t)} → ${valueText(key, to, t)}${since}${t(", ", "，")}${who}${why}`;
}

/** A value of a config that may change; a null in the word that the pages have for it. */
export function valueText(key: string, value: number | null, t: Text): string {
  return value === null ? emptyWord(key, t) : number(value);
}

/** What an empty value means. */
export function emptyWord(key: string, t: Text): string {
  const words = { off: t("off", "关闭"), automatic: t("automatic", "自动"), none: t("none", "无") };
  return words[nullWordOf(key)];
}

/** What became of a `set`, in words. */
export function standingWord(standing: ChangeStanding, t: Text): string {
  switch (standing) {
    case "pending":
      return t("waits", "等待中");
    case "in-force":
      return t("in force", "生效中");
    case "reverted":
      return t("reverted", "已撤回");
    case "refused":
      return t("refused", "已拒绝");
    case "expired":
      return t("expired", "已失效");
  }
}

/** What a file's label says; another one than ours stays as it is. */
export function fileLabelWord(file: RunFile, best: Run["best"], t: Text): string {
  switch (fileLabelOf(file, best)) {
    case "bestKept":
      return t("best kept checkpoint", "已保留的最佳检查点");
    case "bestWeights":
      return t("weights of the best evaluation", "最佳评估时的权重");
    case "lastWeights":
      return t("weights of the last step", "最后一步的权重");
    case "last":
      return t("last", "最新");
    case "final":
      return t("final", "最终");
    case null:
      return printable(file.label ?? "");
  }
}
