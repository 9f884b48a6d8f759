// The shared config fields of the learning rate's course and of evaluation.
import { z } from "zod";
import { field } from "./field.ts";
import { type LoopDefaults, SCHEDULES } from "./loop-defaults.ts";

export function scheduleFields(defaults: LoopDefaults) {
  return {
    schedule: field(
      z.enum(SCHEDULES).default(defaults.schedule),
      "schedule",
      "Schedule",
      "学习率计划",
      "How the learning rate falls after the warm-up: smoothly (cosine), by a factor every few epochs (step), not at all (constant), evenly (linear), up and down once (one-cycle), by a factor when the best value stands still (plateau), or level and then steeply (warmup-stable-decay).",
      "预热后学习率如何下降：平滑（cosine）、每隔几轮乘以系数（step）、不变（constant）、匀速（linear）、一升一降（one-cycle）、最佳值停滞时乘以系数（plateau），或先平后陡（warmup-stable-decay）。",
    ),
    warmup_epochs: field(
      z.number().min(0).max(1000).default(defaults.warmup_epochs),
      "schedule",
      "Warm-up",
      "预热",
      "Epochs over which the learning rate rises from near zero.",
      "学习率从接近零升到最大所用的轮次。",
      { unit: "epochs" },
    ),
    warmup_steps: field(
      z.number().int().min(0).max(1_000_000_000).nullable().default(defaults.warmup_steps),
      "schedule",
      "Warm-up steps",
      "预热步数",
      "The same in steps; where given it counts instead of the epochs.",
      "以步数表示的预热；填写后取代轮次。",
      { unit: "steps", advanced: true },
    ),
    min_learning_rate_share: field(
      z.number().min(0).max(1).default(defaults.min_learning_rate_share),
      "schedule",
      "Lowest share",
      "最低比例",
      "Where cosine, linear, one-cycle, plateau and the decay end, as a share of the learning rate.",
      "cosine、linear、one-cycle、plateau 与衰减结束时的学习率占最大值的比例。",
      { advanced: true },
    ),
  };
}

export function dropFields() {
  return {
    step_every_epochs: field(
      z.number().int().min(1).max(10_000).default(10),
      "schedule",
      "Step every",
      "阶梯间隔",
      "For the step schedule: epochs between two drops.",
      "用于 step：两次下降之间的轮次。",
      { unit: "epochs", advanced: true },
    ),
    step_factor: field(
      z.number().gt(0).lt(1).default(0.3),
      "schedule",
      "Drop factor",
      "下降系数",
      "For step and plateau: what the learning rate is multiplied by.",
      "用于 step 与 plateau：每次下降所乘的系数。",
      { advanced: true },
    ),
    plateau_patience: field(
      z.number().int().min(1).max(10_000).default(3),
      "schedule",
      "Plateau patience",
      "停滞容忍",
      "For plateau: evaluations without a better value before the learning rate drops.",
      "用于 plateau：最佳值未改善多少次评估后降低学习率。",
      { unit: "evaluations", advanced: true },
    ),
    decay_share: field(
      z.number().gt(0).max(1).default(0.2),
      "schedule",
      "Decay share",
      "衰减占比",
      "For warmup-stable-decay: the last share of all steps, over which the learning rate falls.",
      "用于 warmup-stable-decay：最后多大比例的步数用于下降。",
      { advanced: true },
    ),
  };
}

export function evaluationFields(defaults: LoopDefaults) {
  return {
    eval_every_steps: field(
      z.number().int().min(1).max(1_000_000_000).nullable().default(defaults.eval_every_steps),
      "schedule",
      "Evaluate every",
      "评估间隔",
      "Steps between two evaluations. Empty: after each epoch.",
      "两次评估之间的步数。留空：每轮结束时评估。",
      { unit: "steps", advanced: true },
    ),
    early_stopping_patience: field(
      z.number().int().min(1).max(10_000).nullable().default(null),
      "schedule",
      "Stop early after",
      "提前停止",
      "Ends the training after so many evaluations without a better value. Empty: never.",
      "连续多少次评估没有改善即结束训练。留空：不提前停止。",
      { unit: "evaluations" },
    ),
    best_metric: field(
      z.string().min(1).max(250).nullable().default(null),
      "checkpoints",
      "Best by",
      "最佳指标",
      "The metric that chooses the best model, e.g. val/loss. Empty: the recipe's own.",
      "用于挑选最佳模型的指标，如 val/loss。留空：用配方自己的指标。",
      { advanced: true },
    ),
  };
}
