// What a person should know before a fork is started, in both languages.
import { type ForkChange, type ForkKept, type ForkWarning, SPLIT_FIELDS } from "@spotter/contract";

/** A rate below this share of its peak teaches next to nothing. */
const DECAYED_SHARE = 0.01;
/** Changes that the optimizer's averages of earlier gradients work against at first. */
const AGAINST_MOMENTUM: readonly string[] = ["gradient_clip", "learning_rate", "data"];

export interface WarningFacts {
  readonly step: number;
  /** Null where only the data tells. */
  readonly totalSteps: number | null;
  readonly keep: ForkKept;
  /** Parts that these changes do not let be kept, with the fields that are to blame. */
  readonly lost: ReadonlyMap<keyof ForkKept, readonly string[]>;
  readonly changes: readonly ForkChange[];
  readonly numForks: number;
  readonly rate: { readonly next: number; readonly peak: number } | null;
  /** Epochs that had ended at the checkpoint. */
  readonly epoch: number;
}

/** `1,200`, as the pages write steps. */
const count = (steps: number) => steps.toLocaleString("en-US");

export function forkWarnings(facts: WarningFacts): ForkWarning[] {
  const { keep, changes, numForks, step, totalSteps } = facts;
  const keys = changes.map(({ key }) => key);
  if (totalSteps !== null && step >= totalSteps)
    return [
      warning(
        "no-steps-left",
        `No steps are left: the fork would begin at step ${count(step)}, and its config ends at step ${count(totalSteps)}. Give it more epochs, or a larger max_steps.`,
        `没有剩余步数：分叉从第 ${count(step)} 步开始，而其配置在第 ${count(totalSteps)} 步结束。请增加轮次或调大 max_steps。`,
      ),
    ];
  const found: ForkWarning[] = [];
  if (numForks > 1)
    found.push(
      info(
        "several-seeds",
        `${numForks} forks, each with a seed of its own: the random generators begin anew in each.`,
        `共 ${numForks} 个分叉，各用自己的种子：随机数生成器都重新开始。`,
      ),
    );
  else if (changes.length === 0 && Object.values(keep).every(Boolean))
    found.push(
      info(
        "repeats-parent",
        "Nothing changes and everything is kept: the fork repeats its parent, on the CPU bit for bit.",
        "没有改动且全部保留：分叉会重复父训练，在 CPU 上逐位相同。",
      ),
    );
  found.push(...scheduleWarnings(facts), ...optimizerWarnings(facts, keys));
  found.push(...lostWarnings(facts), ...dataWarnings(keys));
  return found;
}

function scheduleWarnings({ step, keep, rate }: WarningFacts): ForkWarning[] {
  if (rate === null) return [];
  const next = rate.next.toExponential(1);
  const peak = rate.peak.toExponential(1);
  if (!keep.scheduler)
    return [
      info(
        "schedule-restarts",
        `The schedule begins anew at step ${count(step)}, warm-up included: the first step trains at ${next}, the peak is ${peak}.`,
        `学习率计划从第 ${count(step)} 步重新开始（含预热）：第一步为 ${next}，峰值为 ${peak}。`,
      ),
    ];
  if (rate.next >= rate.peak * DECAYED_SHARE) return [];
  return [
    warning(
      "schedule-decayed",
      `The schedule had decayed to ${next} at this step, of a peak of ${peak}: the fork would hardly learn. Let the schedule begin anew, or give it more epochs.`,
      `学习率在这一步已降到 ${next}（峰值 ${peak}）：分叉几乎学不到东西。请让学习率计划重新开始，或增加轮次。`,
    ),
  ];
}

function optimizerWarnings({ keep, lost }: WarningFacts, keys: readonly string[]): ForkWarning[] {
  if (lost.has("optimizer"))
    return [
      warning(
        "optimizer-changes",
        "The optimizer changes: the old one's state cannot be kept.",
        "优化器改变：原优化器的状态无法保留。",
      ),
    ];
  if (!keep.optimizer)
    return [
      info(
        "optimizer-begins-anew",
        "The optimizer begins without its averages: the first steps are rougher; a warm-up helps.",
        "优化器不带历史均值开始：最初几步较粗糙，预热会有帮助。",
      ),
    ];
  const against = keys.filter((key) => AGAINST_MOMENTUM.includes(key));
  if (against.length === 0) return [];
  return [
    info(
      "optimizer-remembers",
      `The optimizer still carries the gradients of before: ${against.join(", ")} takes full effect after some steps.`,
      `优化器仍带有之前的梯度：${against.join("、")} 要过若干步才完全生效。`,
    ),
  ];
}

function lostWarnings({ lost, epoch, numForks }: WarningFacts): ForkWarning[] {
  const found: ForkWarning[] = [];
  const random = lost.get("rng");
  if (random !== undefined && numForks === 1)
    found.push(
      warning(
        "rng-lost",
        `${random.join(", ")} changes: the random generators' states cannot be kept.`,
        `${random.join("、")} 改变：随机数状态无法保留。`,
      ),
    );
  const position = lost.get("data_position");
  if (position !== undefined)
    found.push(
      warning(
        "data-position-lost",
        `${position.join(", ")} changes: the data position cannot be kept; epoch ${epoch + 1} begins from its start.`,
        `${position.join("、")} 改变：数据位置无法保留，第 ${epoch + 1} 轮从头开始。`,
      ),
    );
  return found;
}

function dataWarnings(keys: readonly string[]): ForkWarning[] {
  const found: ForkWarning[] = [];
  if (keys.includes("data"))
    found.push(
      warning(
        "data-changes",
        "The data changes: its classes must be the parent's, and values before and after the fork are of different examples.",
        "数据改变：类别必须与父训练一致，分叉前后的数值来自不同样本。",
      ),
    );
  const split = keys.filter((key) => SPLIT_FIELDS.includes(key));
  if (split.length > 0)
    found.push(
      warning(
        "split-changes",
        `${split.join(", ")} changes: the kept weights have trained on examples that now validate or test, so those values will look better than they are.`,
        `${split.join("、")} 改变：保留的权重训练过现在用于验证或测试的样本，这些数值会偏好看。`,
      ),
    );
  return found;
}

export function littleDisk(free: string, wanted: string): ForkWarning {
  return warning(
    "little-disk",
    `The disk has ${free} free; checkpoints of these forks may take ${wanted}.`,
    `磁盘剩余 ${free}；这些分叉的检查点可能占用 ${wanted}。`,
  );
}

function info(code: ForkWarning["code"], message: string, message_zh: string): ForkWarning {
  return { code, severity: "info", message, message_zh };
}

function warning(code: ForkWarning["code"], message: string, message_zh: string): ForkWarning {
  return { code, severity: "warning", message, message_zh };
}
