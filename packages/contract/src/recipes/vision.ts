// The `vision` recipe's config: what can be set, within which bounds, and help on each in both languages.
import { z } from "zod";
import { DataSource } from "../sources.ts";
import { classWeightField, splitFields } from "./classifier-fields.ts";
import { field } from "./field.ts";
import { learningFields } from "./learning-fields.ts";
import { loopFields } from "./loop-fields.ts";

/** Image classification with a small CNN or a ResNet-18-style network. */
export const VisionConfig = z
  .object({
    data: field(
      DataSource.default({ builtin: "digits" }),
      "data",
      "Data",
      "数据",
      "Where the images come from: the built-in handwritten digits, a folder with one sub-folder a class, a folder of IDX files (MNIST), or an uploaded dataset version.",
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
    ...splitFields(),
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
    mixup: field(
      z.number().min(0).max(4).default(0),
      "regularization",
      "Mixup",
      "混合增强",
      "Trains on blends of two images with the blend of their labels; the strength (alpha), 0.2–0.4 is usual. 0: off.",
      "用两张图像及其标签的混合来训练；数值为强度（alpha），常用 0.2–0.4。0 表示关闭。",
    ),
    ...classWeightField(),

    ...learningFields(DataSource),
    ...loopFields(),
  })
  .strict();
export type VisionConfig = z.infer<typeof VisionConfig>;
