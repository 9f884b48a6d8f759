// The `text-finetune` recipe's config: going on with a ready language model, whole or by LoRA.
import { z } from "zod";
import { FileSource, ModelSource } from "../sources.ts";
import { field } from "./field.ts";
import { loopFields } from "./loop-fields.ts";
import { samplingFields } from "./sampling-fields.ts";

const column = () => z.string().min(1).max(200);

function dataFields() {
  return {
    data: field(
      FileSource,
      "data",
      "Data",
      "数据",
      "Conversations, questions with answers, or plain texts: a JSON Lines, CSV or Parquet file, a folder of them, or an uploaded dataset version. UTF-8.",
      "对话、指令问答或纯文本：JSON Lines、CSV 或 Parquet 文件及其文件夹，或已上传的数据集版本。须为 UTF-8。",
    ),
    format: field(
      z.enum(["auto", "chat", "instruction", "text"]).default("auto"),
      "data",
      "Format",
      "数据格式",
      "chat: a list of messages a row. instruction: a prompt and its answer. text: plain text, all of which is learnt. auto: told by the columns of the first row.",
      "chat：每行一个消息列表。instruction：一问一答。text：纯文本，全部参与学习。auto：由首行的列名判断。",
    ),
    template: field(
      z.enum(["chat", "plain"]).default("chat"),
      "data",
      "Template",
      "对话模板",
      "For instructions and their answers. chat: as the model's own chat template writes them, or ours where it has none. plain: prompt and answer one after the other.",
      "用于指令数据。chat：按模型自带的对话模板书写，没有则用内置模板。plain：提示与回答直接相接。",
      { advanced: true },
    ),
    context: field(
      z.number().int().min(8).max(131_072).nullable().default(null),
      "data",
      "Context",
      "上下文长度",
      "Longest example; what goes beyond is cut off at the end. Empty: 1024, or what the model can take.",
      "最长样本，超出部分从末尾截去。留空：1024，或模型的上限。",
      { unit: "tokens" },
    ),
    batching: field(
      z.enum(["padded", "packed"]).default("padded"),
      "data",
      "Batches",
      "组批方式",
      "padded: one example a row. packed: short examples share a row of the context's length without seeing each other; quicker where lengths differ.",
      "padded：每行一个样本。packed：多个短样本拼成一行且互不可见；长度差异大时更快。",
    ),
    ...columnFields(),
    ...splitFields(),
  };
}

function columnFields() {
  return {
    messages_column: field(
      column().default("messages"),
      "data",
      "Messages column",
      "消息列",
      "For chat: holds a list of {role, content}; of ShareGPT's {from, value} too.",
      "用于 chat：{role, content} 列表；也接受 ShareGPT 的 {from, value}。",
      { advanced: true },
    ),
    prompt_column: field(
      column().nullable().default(null),
      "data",
      "Prompt column",
      "提示列",
      "For instruction. Empty: instruction or prompt, whichever is there.",
      "用于 instruction。留空：instruction 或 prompt 列。",
      { advanced: true },
    ),
    input_column: field(
      column().default("input"),
      "data",
      "Input column",
      "输入列",
      "For instruction: what the prompt is about, put behind it; may be missing.",
      "用于 instruction：提示所涉及的内容，接在提示之后；可以没有。",
      { advanced: true },
    ),
    answer_column: field(
      column().nullable().default(null),
      "data",
      "Answer column",
      "回答列",
      "For instruction. Empty: output, completion or response, whichever is there.",
      "用于 instruction。留空：output、completion 或 response 列。",
      { advanced: true },
    ),
    text_column: field(
      column().default("text"),
      "data",
      "Text column",
      "文本列",
      "For plain text.",
      "用于纯文本。",
      { advanced: true },
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
      "Share of the examples that choose the best model and never train it.",
      "用于挑选最佳模型、不参与训练的样本比例。",
    ),
    test_fraction: field(
      z.number().min(0).max(0.5).default(0),
      "data",
      "Test share",
      "测试集比例",
      "Share kept aside for one final loss. 0 leaves the test out.",
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
  };
}

function methodFields() {
  return {
    init_from: field(
      ModelSource,
      "model",
      "Model",
      "模型",
      "The language model to go on with: a Hugging Face folder on the server, a model version, or a name on the Hub, which is downloaded (safetensors only).",
      "要继续训练的语言模型：服务器上的 Hugging Face 文件夹、模型版本，或 Hub 上的名称（自动下载，仅限 safetensors）。",
    ),
    method: field(
      z.enum(["lora", "full"]).default("lora"),
      "model",
      "Method",
      "方法",
      "lora: trains small matrices beside the model's own, which stay as they are; little memory. full: trains every weight; wants about a tenth of the learning rate.",
      "lora：只训练附加的小矩阵，原权重不变，省内存。full：训练全部权重，学习率宜取十分之一左右。",
    ),
    gradient_checkpointing: field(
      z.boolean().default(true),
      "model",
      "Gradient checkpointing",
      "梯度检查点",
      "Computes each layer twice instead of keeping what it gave: far less memory, about a third more time.",
      "每层前向计算两次而不保存中间结果：显著省内存，约多用三分之一时间。",
    ),
    ...loraFields(),
  };
}

function loraFields() {
  return {
    lora_rank: field(
      z.number().int().min(1).max(1024).default(16),
      "model",
      "LoRA rank",
      "LoRA 秩",
      "Width of the small matrices.",
      "小矩阵的宽度。",
    ),
    lora_alpha: field(
      z.number().gt(0).max(4096).default(32),
      "model",
      "LoRA alpha",
      "LoRA alpha",
      "How strongly they count: alpha divided by rank.",
      "其作用强度：alpha 除以秩。",
      { advanced: true },
    ),
    lora_dropout: field(
      z.number().min(0).max(0.9).default(0),
      "regularization",
      "LoRA dropout",
      "LoRA 随机失活",
      "Share of features dropped before the small matrices while training.",
      "训练时在小矩阵之前随机丢弃的特征比例。",
      { advanced: true },
    ),
    lora_targets: field(
      z.string().min(1).max(1000).default("all-linear"),
      "model",
      "LoRA layers",
      "LoRA 目标层",
      "all-linear: beside every linear layer but the output. Or names' ends, with commas: q_proj,v_proj.",
      "all-linear：除输出层外的所有线性层。也可用逗号列出名称结尾：q_proj,v_proj。",
      { advanced: true },
    ),
    merge: field(
      z.boolean().default(true),
      "model",
      "Merge",
      "合并权重",
      "Saves the whole model with LoRA's matrices worked in, beside the adapter; opens anywhere. Off: the adapter alone, which needs its base model.",
      "除适配器外，另存合并后的完整模型，可在任何地方打开。关闭：只存适配器，使用时需要原模型。",
    ),
  };
}

/** Fine-tuning of a causal language model, whole or by LoRA. */
export const TextFinetuneConfig = z
  .object({
    ...dataFields(),
    ...loopFields({
      epochs: 3,
      batch_size: 4,
      learning_rate: 0.0002,
      weight_decay: 0,
      warmup_epochs: 0.05,
      min_learning_rate_share: 0.1,
      checkpoint_every_epochs: 1,
    }),
    ...methodFields(),
    ...samplingFields({ prompt: "" }),
  })
  .strict();
export type TextFinetuneConfig = z.infer<typeof TextFinetuneConfig>;
