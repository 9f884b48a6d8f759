// The config fields that every trained recipe shares, because one loop reads them: optimiser, schedule, precision,
// evaluation, checkpoints, resources. A recipe gives its own defaults.
import { z } from "zod";
import { ModelSource } from "../sources.ts";
import { field } from "./field.ts";

/** What differs between recipes before a person changes anything. */
export interface LoopDefaults {
  readonly epochs: number;
  readonly max_steps: number | null;
  readonly batch_size: number;
  readonly optimizer: "adamw" | "adam" | "sgd" | "adafactor";
  readonly learning_rate: number;
  readonly beta2: number;
  readonly weight_decay: number;
  readonly schedule: ScheduleName;
  readonly warmup_epochs: number;
  readonly warmup_steps: number | null;
  readonly min_learning_rate_share: number;
  readonly label_smoothing: number;
  readonly eval_every_steps: number | null;
  readonly checkpoint_every_epochs: number;
  readonly checkpoint_every_steps: number | null;
}

const SCHEDULES = [
  "cosine",
  "step",
  "constant",
  "linear",
  "one-cycle",
  "plateau",
  "warmup-stable-decay",
] as const;
type ScheduleName = (typeof SCHEDULES)[number];

const seed = () =>
  z
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(0);

const usual: LoopDefaults = {
  epochs: 25,
  max_steps: null,
  batch_size: 64,
  optimizer: "adamw",
  learning_rate: 0.003,
  beta2: 0.999,
  weight_decay: 0.01,
  schedule: "cosine",
  warmup_epochs: 1,
  warmup_steps: null,
  min_learning_rate_share: 0,
  label_smoothing: 0,
  eval_every_steps: null,
  checkpoint_every_epochs: 5,
  checkpoint_every_steps: null,
};

/** The shared fields with a recipe's defaults; spread them into its object. */
export function loopFields(own: Partial<LoopDefaults> = {}) {
  const defaults = { ...usual, ...own };
  return {
    ...extentFields(defaults),
    ...optimizerFields(defaults),
    ...regularizationFields(defaults),
    ...scheduleFields(defaults),
    ...dropFields(),
    ...evaluationFields(defaults),
    ...checkpointFields(defaults),
    ...learningOnFields(),
    ...resourceFields(),
    ...loaderFields(),
  };
}

function extentFields(defaults: LoopDefaults) {
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
      "Examples a step and process. Larger is smoother and needs more memory.",
      "每步、每进程的样本数。越大越平稳，占用内存越多。",
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

function optimizerFields(defaults: LoopDefaults) {
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

function regularizationFields(defaults: LoopDefaults) {
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

function scheduleFields(defaults: LoopDefaults) {
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

function dropFields() {
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

function evaluationFields(defaults: LoopDefaults) {
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

function checkpointFields(defaults: LoopDefaults) {
  return {
    checkpoint_every_epochs: field(
      z.number().int().min(1).max(10_000).default(defaults.checkpoint_every_epochs),
      "checkpoints",
      "Checkpoint every",
      "检查点间隔",
      "Epochs between two complete states that a run can go on from.",
      "两个可恢复的完整状态之间的轮次。",
      { unit: "epochs" },
    ),
    checkpoint_every_steps: field(
      z
        .number()
        .int()
        .min(1)
        .max(1_000_000_000)
        .nullable()
        .default(defaults.checkpoint_every_steps),
      "checkpoints",
      "Also every steps",
      "另按步数",
      "Steps between two checkpoints, beside those of the epochs. Empty: none.",
      "除按轮次外，每隔多少步再存一个检查点。留空：不另存。",
      { unit: "steps", advanced: true },
    ),
    checkpoint_every_minutes: field(
      z.number().gt(0).max(100_000).nullable().default(null),
      "checkpoints",
      "Also every minutes",
      "另按分钟",
      "Minutes between two checkpoints. Empty: time does not matter.",
      "每隔多少分钟存一个检查点。留空：不按时间。",
      { unit: "min", advanced: true },
    ),
    keep_checkpoints: field(
      z.number().int().min(1).max(1000).default(3),
      "checkpoints",
      "Keep last",
      "保留最近",
      "Older checkpoints are removed; the best ones always stay.",
      "更早的检查点会被删除；最佳的始终保留。",
    ),
    keep_best: field(
      z.number().int().min(1).max(100).default(1),
      "checkpoints",
      "Keep best",
      "保留最佳",
      "How many of the best checkpoints stay beside the last ones.",
      "除最近的以外，保留多少个最佳检查点。",
      { advanced: true },
    ),
    checkpoint_budget_mb: field(
      z.number().gt(0).max(100_000_000).nullable().default(null),
      "checkpoints",
      "Space for checkpoints",
      "检查点空间",
      "Megabytes that this run's checkpoints may take; the oldest ordinary ones go first, the newest and the best stay. Empty: no bound.",
      "本次训练的检查点最多占用的空间（MB）；先删最早的普通检查点，保留最新与最佳。留空：不限。",
      { unit: "MB", advanced: true },
    ),
  };
}

function learningOnFields() {
  return {
    init_from: field(
      ModelSource.nullable().default(null),
      "model",
      "Start from",
      "起始权重",
      "Begins with the weights of a model version instead of random ones. Empty: from scratch.",
      "以某个模型版本的权重开始，而非随机初始化。留空：从头训练。",
    ),
  };
}

function resourceFields() {
  return {
    seed: field(
      seed(),
      "resources",
      "Seed",
      "随机种子",
      "Fixes initial weights, order of the data and every random change to it.",
      "固定初始权重、数据顺序与随机变换。",
    ),
    device: field(
      z.enum(["auto", "cpu", "cuda", "mps"]).default("auto"),
      "resources",
      "Device",
      "设备",
      "auto takes a GPU where there is one.",
      "auto：有 GPU 时使用 GPU。",
    ),
    compile: field(
      z.boolean().default(false),
      "resources",
      "Compile",
      "编译",
      "Compiles the model with torch.compile: slow to start, then faster for large models. Needs a C++ compiler.",
      "用 torch.compile 编译模型：启动较慢，大模型随后更快。需要 C++ 编译器。",
      { advanced: true },
    ),
    deterministic: field(
      z.boolean().default(false),
      "resources",
      "Deterministic",
      "确定性模式",
      "Only algorithms that give the same bits each time; slower on GPUs. On the CPU results repeat anyway.",
      "只用每次结果完全一致的算法；GPU 上会变慢。CPU 上本就可复现。",
      { advanced: true },
    ),
    processes: field(
      z.number().int().min(1).max(64).default(1),
      "resources",
      "Processes",
      "进程数",
      "Processes that train one model together on this machine, one a GPU; each takes its own batch.",
      "在本机共同训练一个模型的进程数，每个 GPU 一个；各自取一批数据。",
      { advanced: true },
    ),
    ...parallelFields(),
  };
}

function parallelFields() {
  return {
    strategy: field(
      z.enum(["ddp", "fsdp2"]).default("ddp"),
      "resources",
      "Several processes by",
      "多进程方式",
      "ddp: every process holds the whole model. fsdp2: each holds a piece of every tensor, for models too large for one GPU; not with adafactor or fp16.",
      "ddp：每个进程持有完整模型。fsdp2：每个进程只持有各张量的一部分，适合单个 GPU 放不下的模型；不能与 adafactor 或 fp16 同用。",
      { advanced: true },
    ),
  };
}

function loaderFields() {
  return {
    data_workers: field(
      z.number().int().min(0).max(64).default(0),
      "resources",
      "Loader threads",
      "数据加载线程",
      "Threads that prepare data beside the training, one batch ahead; 0 prepares a batch when it is needed and suits small data.",
      "与训练并行、提前一批准备数据的线程数；0 表示需要时才准备，适合小数据。",
      { advanced: true },
    ),
  };
}
