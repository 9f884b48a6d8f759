// The `concept` recipe's config: what can be set, within which bounds, and help on each in both languages.
import { z } from "zod";
import { Id } from "../scalars.ts";
import { field } from "./field.ts";
import { loopFields } from "./loop-fields.ts";

/** Questions about images: the generated ones, or one's own. */
export const QuestionSource = z.union([
  z.object({ builtin: z.literal("sort-of-clevr") }).strict(),
  z.object({ path: z.string().min(1).max(4096) }).strict(),
  z.object({ dataset_version: Id }).strict(),
]);
export type QuestionSource = z.infer<typeof QuestionSource>;

/** Answers to questions about images: an image encoder, a text encoder, and what joins them. */
export const ConceptConfig = z
  .object({
    ...dataFields(),
    ...partFields(),
    ...modelFields(),
    ...loopFields({
      epochs: 12,
      batch_size: 32,
      learning_rate: 0.002,
      beta2: 0.98,
      checkpoint_every_epochs: 2,
    }),
  })
  .strict();
export type ConceptConfig = z.infer<typeof ConceptConfig>;

function dataFields() {
  return {
    data: field(
      QuestionSource.default({ builtin: "sort-of-clevr" }),
      "data",
      "Data",
      "数据",
      'The generated questions about coloured squares and circles, a folder with images and questions.jsonl (a line each: {"image": "a.png", "question": "…", "answer": "…"}). Uploads keep images alone, without their questions: give such a folder by its path.',
      '生成的彩色方形与圆形问答；含图像与 questions.jsonl 的目录（每行：{"image": "a.png", "question": "…", "answer": "…"}）。上传的数据集只保留图像、不含问题，请以路径给出这样的目录。',
    ),
    num_images: field(
      z.number().int().min(50).max(200_000).default(20_000),
      "data",
      "Images",
      "图像数",
      "For the generated data: images in all, twenty questions each; validation and test take their shares of them.",
      "用于生成的数据：图像总数，每幅二十个问题；验证集与测试集从中划分。",
      { unit: "images" },
    ),
    num_objects: field(
      z.number().int().min(2).max(6).default(6),
      "data",
      "Objects",
      "物体数",
      "For the generated data: objects on every image, each of another colour.",
      "用于生成的数据：每幅图像上的物体数，颜色各不相同。",
      { unit: "objects" },
    ),
    language: field(
      z.enum(["en", "zh", "both"]).default("en"),
      "data",
      "Language",
      "语言",
      "For the generated data: English questions (en), Chinese ones (zh), or both mixed.",
      "用于生成的数据：英文问题（en）、中文问题（zh）或二者混合（both）。",
    ),
    data_seed: field(
      z
        .number()
        .int()
        .min(0)
        .max(2 ** 31 - 1)
        .default(0),
      "data",
      "Data seed",
      "数据种子",
      "For the generated data: the same seed always draws the same images and questions.",
      "用于生成的数据：相同的种子总是生成相同的图像与问题。",
      { advanced: true },
    ),
    image_size: field(
      z.number().int().min(32).max(224).default(40),
      "data",
      "Image size",
      "图像边长",
      "Edge in pixels of the generated images, and what images of your own are resized to. The paper has 75.",
      "生成图像的边长（像素）；自己的图像也缩放到该尺寸。论文为 75。",
      { unit: "px" },
    ),
  };
}

function partFields() {
  return {
    validation_fraction: field(
      z.number().min(0.02).max(0.5).default(0.05),
      "data",
      "Validation share",
      "验证集比例",
      "Share of the images that choose the best model and never train it.",
      "用于挑选最佳模型、不参与训练的图像比例。",
    ),
    test_fraction: field(
      z.number().min(0).max(0.5).default(0.05),
      "data",
      "Test share",
      "测试集比例",
      "Share of the images kept aside for one final, honest accuracy. 0 leaves the test out.",
      "留作最终一次评估的图像比例。0 表示不做测试。",
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
  };
}

function modelFields() {
  return {
    fusion: field(
      z.enum(["cross-attention", "relation", "mlp"]).default("cross-attention"),
      "model",
      "Fusion",
      "融合方式",
      "How image and question come together. cross-attention: the question looks for what it is about, then compares that with every cell of the image; quick. relation: a Relation Network, every pair of cells with the question; several times slower. mlp: plain layers on both, a baseline that does not learn relations.",
      "图像与问题如何结合。cross-attention：问题先找到所问之物，再与图像各单元逐一比较，速度快。relation：关系网络，逐对单元与问题一起计算，慢数倍。mlp：普通全连接基线，学不会关系。",
    ),
    width: field(
      z.number().int().min(32).max(512).multipleOf(32).default(64),
      "model",
      "Width",
      "宽度",
      "Features of a cell, a question and everything between; a multiple of 32.",
      "单元、问题及中间各层的特征数；须为 32 的倍数。",
    ),
    num_layers: field(
      z.number().int().min(1).max(8).default(2),
      "model",
      "Layers",
      "层数",
      "Layers of the fusion: one look and then comparisons (cross-attention), layers on each pair after the first (relation), or plain layers (mlp).",
      "融合部分的层数：一次查看加其后的比较（cross-attention）、每对单元首层之后的层数（relation）或普通层数（mlp）。",
    ),
    dropout: field(
      z.number().min(0).max(0.9).default(0),
      "regularization",
      "Dropout",
      "随机失活",
      "Share of features that are dropped before the last layer while training.",
      "训练时最后一层之前随机丢弃的特征比例。",
    ),
  };
}
