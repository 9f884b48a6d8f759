// The `text-lm` recipe's config: pre-training of decoder-only language models.
import { z } from "zod";
import { DataSource } from "../sources.ts";
import { field } from "./field.ts";
import { loopFields } from "./loop-fields.ts";
import { samplingFields } from "./sampling-fields.ts";

/** Pre-training of Llama-, Qwen2- and DeepSeek-V3-shaped models on text. */
export const TextLmConfig = z
  .object({
    ...dataFields(),
    ...splitFields(),
    ...shapeFields(),
    ...detailFields(),
    ...expertFields(),
    ...samplingFields({ prompt: "\n" }),
    ...loopFields({
      epochs: 10,
      max_steps: 2000,
      batch_size: 12,
      batch_of: "windows",
      learning_rate: 0.001,
      beta2: 0.99,
      weight_decay: 0.1,
      warmup_steps: 100,
      min_learning_rate_share: 0.1,
      eval_every_steps: 250,
      checkpoint_every_epochs: 1,
      checkpoint_every_steps: 500,
    }),
  })
  .strict();
export type TextLmConfig = z.infer<typeof TextLmConfig>;

function dataFields() {
  return {
    data: field(
      DataSource.default({ builtin: "python-source" }),
      "data",
      "Data",
      "数据",
      "Where the text comes from: the source text of Python's standard library (built in), a .txt or .jsonl file or a folder of them (.md or .ndjson where it has neither), or an uploaded dataset version. UTF-8.",
      "文本来源：内置的 Python 标准库源码、.txt 或 .jsonl 文件及其文件夹（两者都没有时为 .md 或 .ndjson），或已上传的数据集版本。须为 UTF-8。",
    ),
    text_field: field(
      z.string().min(1).max(200).default("text"),
      "data",
      "Text field",
      "文本字段",
      "The field of each JSON Lines row that holds the text.",
      "JSON Lines 每行中存放文本的字段。",
      { advanced: true },
    ),
    tokenizer: field(
      z.enum(["characters", "bpe"]).default("characters"),
      "data",
      "Tokens",
      "词元",
      "characters: each character is a token. bpe: frequent strings of bytes, learnt from the data (byte-level BPE); a text becomes three to four times shorter, and any text can be written.",
      "characters：每个字符一个词元。bpe：从数据中学得的高频字节串（字节级 BPE），文本长度缩短约三到四倍，且可表示任意文本。",
    ),
    vocabulary_size: field(
      z.number().int().min(16).max(250_000).nullable().default(null),
      "data",
      "Vocabulary",
      "词表大小",
      "At most so many tokens, the most frequent first. Empty: every character of the data; 4096 for bpe.",
      "词元数上限，按频率取前若干个。留空：数据中的所有字符；bpe 为 4096。",
      { unit: "tokens" },
    ),
    context: field(
      z.number().int().min(8).max(131_072).default(64),
      "data",
      "Context",
      "上下文长度",
      "Tokens that the model sees at once.",
      "模型一次能看到的词元数。",
      { unit: "tokens" },
    ),
    batching: field(
      z.enum(["windows", "packed"]).default("windows"),
      "data",
      "Batches",
      "取样方式",
      "windows: stretches from random places. packed: the documents in a new order each epoch, joined by an end token, every token once.",
      "windows：随机位置的片段。packed：每轮重新排列文档，以结束词元相接，每个词元恰好一次。",
    ),
  };
}

function splitFields() {
  return {
    validation_fraction: field(
      z.number().min(0.001).max(0.5).default(0.1),
      "data",
      "Validation share",
      "验证集比例",
      "The last part of the text, which chooses the best model and never trains it.",
      "文本末尾的一段，用于挑选最佳模型，不参与训练。",
    ),
    validation_tokens: field(
      z.number().int().min(64).max(1_000_000_000).default(200_000),
      "data",
      "At most to validate",
      "验证词元上限",
      "Looks at no more than so many tokens of the validation and test share each time.",
      "每次评估最多使用的验证（测试）词元数。",
      { unit: "tokens", advanced: true },
    ),
    test_fraction: field(
      z.number().min(0).max(0.5).default(0),
      "data",
      "Test share",
      "测试集比例",
      "The part behind the validation share, for one final loss. 0 leaves the test out.",
      "验证集之后的一段，用于最终评估一次。0 表示不做测试。",
    ),
  };
}

function shapeFields() {
  return {
    shape: field(
      z.enum(["llama", "qwen2", "deepseek-v3"]).default("llama"),
      "model",
      "Shape",
      "模型结构",
      "llama: the plainest. qwen2: with biases on queries, keys and values. deepseek-v3: latent attention, and experts of which each token uses a few. All open in transformers.",
      "llama：最简洁。qwen2：查询、键、值带偏置。deepseek-v3：潜在注意力，加每个词元只用其中几个的专家。均可被 transformers 打开。",
    ),
    module: field(
      z.enum(["own", "transformers"]).default("own"),
      "model",
      "Module",
      "实现",
      "own: our fast module. transformers: the library's; the same weights, slower on small sizes. deepseek-v3 is always the library's.",
      "own：自有的快速实现。transformers：该库的实现，权重相同，小模型上较慢。deepseek-v3 总用该库的实现。",
      { advanced: true },
    ),
    layers: field(
      z.number().int().min(1).max(256).default(4),
      "model",
      "Layers",
      "层数",
      "Blocks of attention and feed-forward.",
      "注意力加前馈的块数。",
    ),
    width: field(
      z.number().int().min(8).max(16_384).default(128),
      "model",
      "Width",
      "宽度",
      "Numbers that stand for one token inside the model; a multiple of the heads.",
      "模型内部表示一个词元的维数；须为头数的整数倍。",
    ),
    heads: field(
      z.number().int().min(1).max(256).default(4),
      "model",
      "Heads",
      "注意力头数",
      "Attention heads a layer.",
      "每层的注意力头数。",
    ),
    kv_heads: field(
      z.number().int().min(1).max(256).nullable().default(null),
      "model",
      "Key-value heads",
      "键值头数",
      "Fewer than heads saves memory when writing text (grouped-query attention). Empty: as many as heads.",
      "少于注意力头数可在生成时省内存（分组查询注意力）。留空：与头数相同。",
      { advanced: true },
    ),
  };
}

function detailFields() {
  return {
    ffn_width: field(
      z.number().int().min(8).max(65_536).nullable().default(null),
      "model",
      "Feed-forward width",
      "前馈宽度",
      "Empty: 8/3 of the width, in steps of 16.",
      "留空：宽度的 8/3，取 16 的倍数。",
      { advanced: true },
    ),
    tie_embeddings: field(
      z.boolean().default(true),
      "model",
      "Tie embeddings",
      "共享词嵌入",
      "Input and output share one table of tokens: fewer weights, right for small models.",
      "输入与输出共用词表矩阵：权重更少，适合小模型。",
      { advanced: true },
    ),
    rope_theta: field(
      z.number().min(100).max(100_000_000).default(10_000),
      "model",
      "RoPE base",
      "RoPE 基数",
      "How slowly positions turn; larger for longer contexts.",
      "位置旋转的快慢；上下文越长取值越大。",
      { advanced: true },
    ),
    dropout: field(
      z.number().min(0).max(0.9).default(0),
      "regularization",
      "Dropout",
      "随机失活",
      "Share of features dropped after each layer's two parts while training; 0 suits data that is not seen often.",
      "训练时每层两部分之后随机丢弃的特征比例；数据不多次重复时用 0。",
    ),
  };
}

function expertFields() {
  return {
    experts: field(
      z.number().int().min(2).max(1024).default(8),
      "model",
      "Experts",
      "专家数",
      "deepseek-v3: small feed-forward networks a layer, besides the one that all tokens share.",
      "deepseek-v3：每层的小前馈网络数（不含所有词元共用的一个）。",
      { advanced: true },
    ),
    experts_per_token: field(
      z.number().int().min(1).max(64).default(2),
      "model",
      "Experts a token",
      "每词元专家数",
      "deepseek-v3: how many of the experts each token uses.",
      "deepseek-v3：每个词元使用的专家数。",
      { advanced: true },
    ),
    expert_width: field(
      z.number().int().min(8).max(65_536).nullable().default(null),
      "model",
      "Expert width",
      "专家宽度",
      "deepseek-v3: feed-forward width of one expert. Empty: so that a token meets as many weights as in a layer without experts.",
      "deepseek-v3：单个专家的前馈宽度。留空：使每个词元经过的权重与无专家的层相同。",
      { advanced: true },
    ),
    dense_layers: field(
      z.number().int().min(0).max(256).default(1),
      "model",
      "Layers without experts",
      "无专家层数",
      "deepseek-v3: so many layers at the beginning have one feed-forward network for all tokens.",
      "deepseek-v3：开头若干层对所有词元使用同一个前馈网络。",
      { advanced: true },
    ),
    latent_width: field(
      z.number().int().min(8).max(16_384).nullable().default(null),
      "model",
      "Latent width",
      "潜在宽度",
      "deepseek-v3: numbers that keys and values of one token are pressed into. Empty: half the width.",
      "deepseek-v3：一个词元的键与值被压缩成的维数。留空：宽度的一半。",
      { advanced: true },
    ),
  };
}
