// The recipes that a run can name, with their configs' schemas for validation, form and docs.
import { z } from "zod";
import type { DatasetKind } from "../datasets.ts";
import { defineEndpoint } from "../endpoint.ts";
import { JsonObject } from "../scalars.ts";
import { AudioConfig } from "./audio.ts";
import { CommandConfig } from "./command.ts";
import { ConceptConfig } from "./concept.ts";
import { TextClassifyConfig } from "./text-classify.ts";
import { TextFinetuneConfig } from "./text-finetune.ts";
import { TextLmConfig } from "./text-lm.ts";
import { VisionConfig } from "./vision.ts";

interface RecipeEntry {
  readonly title: string;
  readonly title_zh: string;
  readonly description: string;
  readonly description_zh: string;
  readonly primary_metric: string;
  readonly higher_is_better: boolean;
  /** Fields of the config that name data, and those that name a model: first the one that a training begins from. */
  readonly data_fields: readonly string[];
  readonly model_fields: readonly string[];
  /** What an uploaded dataset must be to be trained on; absent where its files alone can tell. */
  readonly dataset_kind?: DatasetKind;
  /** Whose versions it goes on from, where these are more than its own. */
  readonly model_recipes?: readonly string[];
  /** Fields that name a folder of the server's. */
  readonly folder_fields?: readonly string[];
  readonly config: z.ZodType<Record<string, unknown>>;
}

export const recipes = {
  vision: {
    title: "Image classification",
    title_zh: "图像分类",
    description:
      "A CNN or ResNet learns to sort images into classes. Starts on the built-in handwritten digits.",
    description_zh: "用 CNN 或 ResNet 把图像分到各个类别。默认使用内置手写数字。",
    /** The metric that chooses the best model, and which way is better. */
    primary_metric: "val/accuracy",
    higher_is_better: true,
    data_fields: ["data", "old_data"],
    model_fields: ["init_from", "distill_from"],
    dataset_kind: "image-folder",
    config: VisionConfig,
  },
  audio: {
    title: "Sound classification",
    title_zh: "声音分类",
    description:
      "An LSTM or GRU learns to sort recordings into classes: spoken words, noises, instruments.",
    description_zh: "用 LSTM 或 GRU 把录音分到各个类别：口令、环境声、乐器等。",
    primary_metric: "val/accuracy",
    higher_is_better: true,
    data_fields: ["data", "old_data"],
    model_fields: ["init_from", "distill_from"],
    dataset_kind: "audio-folder",
    config: AudioConfig,
  },
  "text-classify": {
    title: "Text classification",
    title_zh: "文本分类",
    description:
      "A Transformer encoder learns to sort texts into classes: topics, moods, intents; Chinese too.",
    description_zh: "用 Transformer 编码器把文本分到各个类别：主题、情感、意图等；支持中文。",
    primary_metric: "val/accuracy",
    higher_is_better: true,
    data_fields: ["data", "old_data"],
    model_fields: ["init_from", "distill_from"],
    dataset_kind: "text",
    config: TextClassifyConfig,
  },
  "text-lm": {
    title: "Language model",
    title_zh: "语言模型",
    description:
      "A decoder-only model learns to write from text, from scratch. Starts on the source text of Python's standard library.",
    description_zh: "从零训练只含解码器的语言模型学习写作。默认使用 Python 标准库源码。",
    primary_metric: "val/loss",
    higher_is_better: false,
    data_fields: ["data"],
    model_fields: ["init_from"],
    dataset_kind: "text",
    config: TextLmConfig,
  },
  "text-finetune": {
    title: "Fine-tuning",
    title_zh: "语言模型微调",
    description:
      "A ready language model, from a folder, the Hub or your own versions, learns from conversations, instructions or texts; whole or by LoRA.",
    description_zh:
      "用对话、指令或文本继续训练现成的语言模型（本地文件夹、Hub 或自己的版本）：全量或 LoRA。",
    primary_metric: "val/loss",
    higher_is_better: false,
    data_fields: ["data"],
    model_fields: ["init_from"],
    dataset_kind: "text",
    model_recipes: ["text-finetune", "text-lm"],
    config: TextFinetuneConfig,
  },
  concept: {
    title: "Questions about images",
    title_zh: "图像问答",
    description:
      "An image encoder and a text encoder learn to answer questions about objects and their relations. Starts on generated images.",
    description_zh:
      "图像编码器与文本编码器共同学习回答关于物体及其关系的问题。默认使用生成的图像。",
    primary_metric: "val/accuracy",
    higher_is_better: true,
    data_fields: ["data"],
    model_fields: ["init_from"],
    config: ConceptConfig,
  },
  command: {
    title: "A program of your own",
    title_zh: "自己的程序",
    description:
      "Runs any program: your training script in any framework. The package spotter inside it sends its metrics, files and checkpoints.",
    description_zh:
      "运行任意程序：用任何框架写的训练脚本。脚本中的 spotter 包会发送指标、文件与检查点。",
    primary_metric: "val/loss",
    higher_is_better: false,
    data_fields: [],
    model_fields: [],
    folder_fields: ["working_directory"],
    config: CommandConfig,
  },
} as const satisfies Record<string, RecipeEntry>;
export type RecipeName = keyof typeof recipes;

/** The kind that an uploaded dataset must be for this recipe; null where any may do. */
export function datasetKindOf(recipe: RecipeName): DatasetKind | null {
  const entry: RecipeEntry = recipes[recipe];
  return entry.dataset_kind ?? null;
}

/** The recipes whose versions this one goes on from. */
export function modelRecipesOf(recipe: RecipeName): readonly string[] {
  const entry: RecipeEntry = recipes[recipe];
  return entry.model_recipes ?? [recipe];
}

export const RecipeName = z.enum([
  "vision",
  "audio",
  "text-classify",
  "text-lm",
  "text-finetune",
  "concept",
  "command",
]);

export const Recipe = z.object({
  name: RecipeName,
  title: z.string(),
  title_zh: z.string(),
  description: z.string(),
  description_zh: z.string(),
  primary_metric: z.string(),
  higher_is_better: z.boolean(),
  /** JSON Schema of the config; each property carries section, title(_zh), description(_zh), unit, advanced. */
  config_schema: JsonObject,
  /** 2026-11-21: the error code that starting it would have for the asker; absent or null where they may. */
  closed_by: z.string().nullable().optional(),
});
export type Recipe = z.infer<typeof Recipe>;

export const listRecipes = defineEndpoint({
  domain: "runs",
  name: "list-recipes",
  method: "GET",
  path: "/api/recipes",
  access: "signed-in",
  summary: "What can be trained, with the schema of each config.",
  response: z.object({ recipes: z.array(Recipe) }),
});
