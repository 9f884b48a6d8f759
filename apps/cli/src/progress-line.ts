// A run's progress as one line for the terminal. Pure.
import { epochOf, type JobState, type RunProgress, type RunSummary } from "@spotter/contract";
import { duration, metric, number, percent, stateWord } from "./format.ts";
import type { Language } from "./settings.ts";

const BAR_WIDTH = 24;
const MOVING: readonly JobState[] = ["running", "starting"];

/** `[########----] 620/1500  epoch 8/25  loss 0.0834  val acc 97.4 %  41.0 it/s  0:12 left` */
export function progressLine(run: RunSummary, language: Language): string {
  const { progress, metrics, state } = run;
  const zh = language === "zh";
  const word = stateWord(state, language);
  if (progress === null) return [word, ...metricWords(metrics, zh)].join("  ");
  const parts = [
    progress.total_steps === null
      ? `${zh ? "步" : "step"} ${progress.step}`
      : `${bar(progress.step / progress.total_steps)} ${progress.step}/${progress.total_steps}`,
    epochWords(progress, zh),
    ...metricWords(metrics, zh),
    progress.steps_per_s === null ? "" : `${progress.steps_per_s.toFixed(1)} it/s`,
    etaWords(run, zh) ?? word,
  ];
  return parts.filter((part) => part !== "").join("  ");
}

function epochWords(progress: RunProgress, zh: boolean): string {
  const found = epochOf(progress);
  if (found === null) return "";
  return `${zh ? "轮次" : "epoch"} ${found.epoch}${found.total === null ? "" : `/${found.total}`}`;
}

export function bar(share: number): string {
  const filled = Math.round(Math.max(0, Math.min(1, share)) * BAR_WIDTH);
  return `[${"#".repeat(filled)}${"-".repeat(BAR_WIDTH - filled)}]`;
}

function metricWords(metrics: RunSummary["metrics"], zh: boolean): string[] {
  const words: [string, string, (value: RunSummary["metrics"][string]) => string][] = [
    ["train/loss", zh ? "损失" : "loss", number],
    ["val/loss", zh ? "验证损失" : "val loss", number],
    ["val/accuracy", zh ? "验证准确率" : "val acc", percent],
    ["test/accuracy", zh ? "测试准确率" : "test acc", percent],
  ];
  const known = words.flatMap(([name, label, format]) => {
    const value = metrics[name];
    // One line must do: the accuracy says more than the loss beside it.
    const isLeftOut = name === "val/loss" && metrics["val/accuracy"] !== undefined;
    return value === undefined || isLeftOut ? [] : [`${label} ${format(value)}`];
  });
  if (known.length > 0) return known;
  // Own scripts and TensorBoard runs name their metrics as they like.
  return Object.entries(metrics)
    .slice(0, 3)
    .map(([name, value]) => `${name} ${metric(name, value)}`);
}

function etaWords({ state, progress }: RunSummary, zh: boolean): string | null {
  if (!MOVING.includes(state) || progress?.eta_s === null || progress === null) return null;
  const left = duration(progress.eta_s);
  return zh ? `剩余 ${left}` : `${left} left`;
}
