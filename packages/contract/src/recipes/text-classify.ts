// The `text-classify` recipe's config: what can be set, within which bounds, and help on each in both languages.
import { z } from "zod";
import { FileSource } from "../sources.ts";
import { classWeightField, splitFields } from "./classifier-fields.ts";
import { field } from "./field.ts";
import { learningFields } from "./learning-fields.ts";
import { loopFields } from "./loop-fields.ts";

function textFields() {
  return {
    text_column: field(
      z.string().min(1).max(200).default("text"),
      "data",
      "Text column",
      "文本列",
      "Column (CSV) or key (JSON Lines) that holds the text; folders need none.",
      "存放文本的列名（CSV）或键名（JSON Lines）；文件夹不需要。",
    ),
    label_column: field(
      z.string().min(1).max(200).default("label"),
      "data",
      "Label column",
      "标签列",
      "Column or key that holds the class.",
      "存放类别的列名或键名。",
    ),
    tokens: field(
      z.enum(["words", "characters", "bytes"]).default("words"),
      "data",
      "Tokens",
      "分词方式",
      "words: words, with each Chinese, Japanese or Korean character by itself. characters: every character. bytes: no vocabulary at all, longer sequences.",
      "words：按词切分，中日韩文字逐字切分。characters：逐字符。bytes：逐字节，不需要词表，序列更长。",
    ),
    vocabulary_size: field(
      z.number().int().min(16).max(200_000).default(20_000),
      "data",
      "Vocabulary",
      "词表大小",
      "The most frequent tokens of the training part are known; all others are one unknown token.",
      "训练集中最常见的词元会被收入；其余归为一个未知词元。",
    ),
    max_tokens: field(
      z.number().int().min(4).max(4096).default(256),
      "data",
      "Longest text",
      "最长文本",
      "Of a longer text only the beginning is used.",
      "更长的文本只使用开头部分。",
      { unit: "tokens" },
    ),
  };
}

function encoderFields() {
  return {
    layers: field(
      z.number().int().min(1).max(24).default(2),
      "model",
      "Layers",
      "层数",
      "Transformer layers on top of each other.",
      "Transformer 层数。",
    ),
    heads: field(
      z.number().int().min(1).max(32).default(4),
      "model",
      "Heads",
      "注意力头数",
      "Looks that each layer takes at the text at once; the width must be a multiple of it.",
      "每层并行的注意力数；宽度须为其整数倍。",
    ),
    width: field(
      z.number().int().min(4).max(2048).default(128),
      "model",
      "Width",
      "宽度",
      "Features that a token is described by.",
      "描述每个词元的特征数。",
    ),
    dropout: field(
      z.number().min(0).max(0.9).default(0.1),
      "regularization",
      "Dropout",
      "随机失活",
      "Share of features that are dropped while training.",
      "训练时随机丢弃的特征比例。",
    ),
  };
}

/** Text classification with a Transformer encoder, trained from scratch. */
export const TextClassifyConfig = z
  .object({
    data: field(
      FileSource,
      "data",
      "Data",
      "数据",
      "Where the texts come from: CSV or JSON Lines files with a text and a label column, or a folder with one sub-folder a class of .txt files.",
      "文本来源：带文本列与标签列的 CSV 或 JSON Lines 文件，或每类一个子文件夹的 .txt 目录。",
    ),
    ...textFields(),
    ...splitFields(),
    ...encoderFields(),
    ...classWeightField(),
    ...learningFields(FileSource),
    ...loopFields({ epochs: 15, batch_size: 32, learning_rate: 0.001 }),
  })
  .strict();
export type TextClassifyConfig = z.infer<typeof TextClassifyConfig>;
