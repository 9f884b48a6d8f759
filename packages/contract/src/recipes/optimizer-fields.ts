// The shared config fields of how far a training goes, how it steps, and what holds the weights back.
import { z } from "zod";
import { field } from "./field.ts";
import type { LoopDefaults } from "./loop-defaults.ts";

const BATCH_HELP = {
  examples: {
    en: "Examples a step and process. Larger is smoother and needs more memory.",
    zh: "每步、每进程的样本数。越大越平稳，占用内存越多。",
  },
  windows: {
    en: "Windows a step and process, each of as many tokens as the context. Larger is smoother and needs more memory.",
    zh: "每步、每进程的窗口数，每个窗口的词元数等于上下文长度。越大越平稳，占用内存越多。",
  },
} as const;

export function extentFields(defaults: LoopDefaults) {
  return {
    epochs: field(
      z.number().int().min(1).max(100_000).default(defaults.epochs),
      "optimizer",
      "Epochs",
      "轮次",
      "How often the training goes through all training data.",
      "遍历全部训练数据的次数。",
    ),
    max_steps: field(
      z.number().int().min(1).max(1_000_000_000).nullable().default(defaults.max_steps),
      "optimizer",
      "At most steps",
      "最多步数",
      "Ends the training after so many steps, whatever the epochs say. Empty: the epochs decide.",
      "到达该步数即结束训练，不论轮次。留空：由轮次决定。",
    ),
    batch_size: field(
      z.number().int().min(1).max(65_536).default(defaults.batch_size),
      "optimizer",
      "Batch size",
      "批大小",
      BATCH_HELP[defaults.batch_of].en,
      BATCH_HELP[defaults.batch_of].zh,
    ),
    accumulate_steps: field(
      z.number().int().min(1).max(4096).default(1),
      "optimizer",
      "Accumulate",
      "梯度累积",
      "Batches whose gradients are added up for one step: a larger batch without its memory.",
      "把多个小批的梯度相加后再更新一次：等效更大的批，但不多占内存。",
      { unit: "batches", advanced: true },
    ),
  };
}

export function optimizerFields(defaults: LoopDefaults) {
  return {
    optimizer: field(
      z.enum(["adamw", "adam", "sgd", "adafactor"]).default(defaults.optimizer),
      "optimizer",
      "Optimiser",
      "优化器",
      "adamw: forgiving. adam: decay joins the gradient. sgd: with Nesterov momentum, often a little better when tuned; wants a learning rate near 0.1. adafactor: little memory for large models.",
      "adamw：容错性好。adam：权重衰减并入梯度。sgd：带 Nesterov 动量，调好后常略优；学习率约 0.1。adafactor：大模型时省内存。",
    ),
    learning_rate: field(
      z.number().gt(0).max(10).default(defaults.learning_rate),
      "optimizer",
      "Learning rate",
      "学习率",
      "The largest step size, reached after the warm-up.",
      "最大步长，在预热后达到。",
    ),
    momentum: field(
      z.number().min(0).max(0.999).default(0.9),
      "optimizer",
      "Momentum",
      "动量",
      "For sgd only.",
      "仅用于 sgd。",
      { advanced: true },
    ),
    beta1: field(
      z.number().min(0).lt(1).default(0.9),
      "optimizer",
      "Beta 1",
      "Beta 1",
      "For adam and adamw: memory of the gradient's mean.",
      "用于 adam 与 adamw：梯度均值的记忆系数。",
      { advanced: true },
    ),
    beta2: field(
      z.number().min(0).lt(1).default(defaults.beta2),
      "optimizer",
      "Beta 2",
      "Beta 2",
      "For adam and adamw: memory of the gradient's square; 0.95–0.99 suits language models.",
      "用于 adam 与 adamw：梯度平方的记忆系数；语言模型常用 0.95–0.99。",
      { advanced: true },
    ),
  };
}

export function regularizationFields(defaults: LoopDefaults) {
  return {
    weight_decay: field(
      z.number().min(0).max(1).default(defaults.weight_decay),
      "regularization",
      "Weight decay",
      "权重衰减",
      "Pulls weights towards zero each step; not applied to biases and norms.",
      "每步把权重拉向零；不作用于偏置与归一化层。",
    ),
    label_smoothing: field(
      z.number().min(0).max(0.5).default(defaults.label_smoothing),
      "regularization",
      "Label smoothing",
      "标签平滑",
      "Softens the targets; 0.1 is usual for noisy labels.",
      "软化目标；标签有噪声时常用 0.1。",
      { advanced: true },
    ),
    gradient_clip: field(
      z.number().gt(0).max(1000).nullable().default(1),
      "optimizer",
      "Gradient clip",
      "梯度裁剪",
      "Longest gradient that is let through; off lets every gradient through.",
      "允许通过的最大梯度范数；关闭则不作限制。",
    ),
    ema_decay: field(
      z.number().gt(0).lt(1).nullable().default(null),
      "regularization",
      "Averaged weights",
      "权重滑动平均",
      "Evaluates and keeps a running average of the weights with this decay, e.g. 0.999. Empty: the weights themselves.",
      "以该衰减系数（如 0.999）对权重做滑动平均，并用平均权重评估与保存。留空：直接用原权重。",
      { advanced: true },
    ),
    precision: field(
      z.enum(["fp32", "bf16", "fp16"]).default("fp32"),
      "optimizer",
      "Precision",
      "计算精度",
      "bf16 and fp16 halve memory and are faster on GPUs that have them; fp16 comes with a loss scaler.",
      "bf16 与 fp16 减半内存，在支持的 GPU 上更快；fp16 自动带损失缩放。",
    ),
  };
}
