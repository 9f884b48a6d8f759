// The `vision` recipe's config: what can be set, within which bounds, and help on each in both languages.
import { z } from "zod";
import { DataSource } from "../worker.ts";
import { field } from "./field.ts";

/** Image classification with a small CNN or a ResNet-18-style network. */
export const VisionConfig = z
  .object({
    data: field(
      DataSource.default({ builtin: "digits" }),
      "data",
      "Data",
      "数据",
      "Where the images come from: the built-in handwritten digits, a folder with one sub-folder a class, a folder of IDX files (MNIST), or an uploaded data set version.",
      "图像来源：内置手写数字、每类一个子文件夹的目录、IDX 文件目录（MNIST），或已上传的数据集版本。",
    ),
    image_size: field(
      z.number().int().min(8).max(512).nullable().default(null),
      "data",
      "Image size",
      "图像边长",
      "Edge in pixels that every image is resized to. Empty: the native size of digits (8) and IDX files, else 64.",
      "所有图像缩放到的边长（像素）。留空：内置数字（8）与 IDX 用原始尺寸，其余为 64。",
      { unit: "px" },
    ),
    validation_fraction: field(
      z.number().min(0.02).max(0.5).default(0.15),
      "data",
      "Validation share",
      "验证集比例",
      "Share of the images that choose the best model and never train it.",
      "用于挑选最佳模型、不参与训练的图像比例。",
    ),
    test_fraction: field(
      z.number().min(0).max(0.5).default(0.15),
      "data",
      "Test share",
      "测试集比例",
      "Share kept aside for one final, honest accuracy. 0 leaves the test out.",
      "留作最终一次评估的比例。0 表示不做测试。",
    ),
    split_seed: field(
      z
        .number()
        .int()
        .min(0)
        .max(2 ** 31 - 1)
        .default(0),
      "data",
      "Split seed",
      "划分种子",
      "The same seed always gives the same split.",
      "相同的种子总是得到相同的划分。",
      { advanced: true },
    ),
    augment: field(
      z.enum(["none", "light", "standard"]).default("light"),
      "data",
      "Augmentation",
      "数据增强",
      "Random changes to training images. light: shift and small rotation; standard: also zoom and brightness. Mirrored digits are other digits, so nothing is mirrored unless you say so.",
      "对训练图像的随机变换。light：平移与小角度旋转；standard：另加缩放与亮度。默认不做镜像翻转。",
    ),
    mirror: field(
      z.boolean().default(false),
      "data",
      "Mirror left-right",
      "左右翻转",
      "Also mirror images at random: right for photographs, wrong for letters and digits.",
      "随机左右翻转：适合照片，不适合字母与数字。",
      { advanced: true },
    ),

    model: field(
      z.enum(["cnn", "resnet18"]).default("cnn"),
      "model",
      "Model",
      "模型",
      "cnn: small and quick. resnet18: deeper, for larger images; slow without a GPU.",
      "cnn：小而快。resnet18：更深，适合较大图像；无 GPU 时较慢。",
    ),
    width: field(
      z.number().int().min(4).max(256).default(32),
      "model",
      "Width",
      "宽度",
      "Channels of the first stage; later stages double it. ResNet-18 proper has 64.",
      "第一阶段的通道数，之后逐级翻倍。标准 ResNet-18 为 64。",
    ),
    dropout: field(
      z.number().min(0).max(0.9).default(0.1),
      "regularization",
      "Dropout",
      "随机失活",
      "Share of features that are dropped before the last layer while training.",
      "训练时最后一层之前随机丢弃的特征比例。",
    ),
    label_smoothing: field(
      z.number().min(0).max(0.5).default(0),
      "regularization",
      "Label smoothing",
      "标签平滑",
      "Softens the targets; 0.1 is usual for noisy labels.",
      "软化目标；标签有噪声时常用 0.1。",
      { advanced: true },
    ),
    weight_decay: field(
      z.number().min(0).max(1).default(0.01),
      "regularization",
      "Weight decay",
      "权重衰减",
      "Pulls weights towards zero each step; not applied to biases and norms.",
      "每步把权重拉向零；不作用于偏置与归一化层。",
    ),

    epochs: field(
      z.number().int().min(1).max(10_000).default(25),
      "optimizer",
      "Epochs",
      "轮次",
      "How often the training goes through all training images.",
      "遍历全部训练图像的次数。",
    ),
    batch_size: field(
      z.number().int().min(1).max(65_536).default(64),
      "optimizer",
      "Batch size",
      "批大小",
      "Images a step. Larger is smoother and needs more memory.",
      "每步的图像数。越大越平稳，占用内存越多。",
    ),
    optimizer: field(
      z.enum(["adamw", "sgd"]).default("adamw"),
      "optimizer",
      "Optimiser",
      "优化器",
      "adamw: forgiving. sgd: with Nesterov momentum, often a little better when tuned; wants a learning rate near 0.1.",
      "adamw：容错性好。sgd：带 Nesterov 动量，调好后常略优；学习率约 0.1。",
    ),
    learning_rate: field(
      z.number().gt(0).max(10).default(0.003),
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
    gradient_clip: field(
      z.number().gt(0).max(1000).nullable().default(1),
      "optimizer",
      "Gradient clip",
      "梯度裁剪",
      "Longest gradient that is let through; off lets every gradient through.",
      "允许通过的最大梯度范数；关闭则不作限制。",
    ),

    schedule: field(
      z.enum(["cosine", "step", "constant"]).default("cosine"),
      "schedule",
      "Schedule",
      "学习率计划",
      "How the learning rate falls: smoothly to zero (cosine), by a factor every few epochs (step), or not at all.",
      "学习率如何下降：平滑降到零（cosine）、每隔几轮乘以系数（step），或不变。",
    ),
    warmup_epochs: field(
      z.number().min(0).max(1000).default(1),
      "schedule",
      "Warm-up",
      "预热",
      "Epochs over which the learning rate rises from near zero.",
      "学习率从接近零升到最大所用的轮次。",
      { unit: "epochs" },
    ),
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
      "Step factor",
      "阶梯系数",
      "For the step schedule: what the learning rate is multiplied by.",
      "用于 step：每次下降所乘的系数。",
      { advanced: true },
    ),

    checkpoint_every_epochs: field(
      z.number().int().min(1).max(10_000).default(5),
      "checkpoints",
      "Checkpoint every",
      "检查点间隔",
      "Epochs between two complete states that a run can go on from.",
      "两个可恢复的完整状态之间的轮次。",
      { unit: "epochs" },
    ),
    keep_checkpoints: field(
      z.number().int().min(1).max(1000).default(3),
      "checkpoints",
      "Keep last",
      "保留个数",
      "Older checkpoints are removed; the best one always stays.",
      "更早的检查点会被删除；最佳的一个始终保留。",
    ),

    seed: field(
      z
        .number()
        .int()
        .min(0)
        .max(2 ** 31 - 1)
        .default(0),
      "resources",
      "Seed",
      "随机种子",
      "Fixes initial weights, order of images and augmentation.",
      "固定初始权重、图像顺序与数据增强。",
    ),
    device: field(
      z.enum(["auto", "cpu", "cuda", "mps"]).default("auto"),
      "resources",
      "Device",
      "设备",
      "auto takes a GPU where there is one.",
      "auto：有 GPU 时使用 GPU。",
    ),
    data_workers: field(
      z.number().int().min(0).max(64).default(0),
      "resources",
      "Loader threads",
      "数据加载线程",
      "Threads that read large image folders beside the training, one batch ahead; 0 reads when a batch is needed and suits small images.",
      "与训练并行、提前一批读取大型图像目录的线程数；0 表示需要时才读取，适合小图像。",
      { advanced: true },
    ),
  })
  .strict();
export type VisionConfig = z.infer<typeof VisionConfig>;
