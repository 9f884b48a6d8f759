// The config fields of text that a model writes: while training, to look at, and in predictions unless told otherwise.
import { z } from "zod";
import { field } from "./field.ts";

/** Spread into a recipe's object. */
export function samplingFields(defaults: { readonly prompt: string }) {
  return {
    sample_prompt: field(
      z.string().max(4000).default(defaults.prompt),
      "resources",
      "Sample's prompt",
      "试写开头",
      "What the model continues at each evaluation, to look at in the log.",
      "每次评估时让模型续写的开头，结果写入日志。",
    ),
    sample_tokens: field(
      z.number().int().min(0).max(4096).default(100),
      "resources",
      "Sample's length",
      "试写长度",
      "Tokens to write; 0 writes none while training and 100 in predictions.",
      "续写的词元数；0 表示训练中不试写，预测时写 100 个。",
      { unit: "tokens" },
    ),
    temperature: field(
      z.number().min(0).max(5).default(0.8),
      "resources",
      "Temperature",
      "温度",
      "Higher is bolder; 0 always takes the likeliest token.",
      "越高越大胆；0 总取最可能的词元。",
      { advanced: true },
    ),
    top_k: field(
      z.number().int().min(1).max(100_000).nullable().default(50),
      "resources",
      "Top k",
      "Top k",
      "Chooses among so many likeliest tokens. Empty: among all.",
      "只在最可能的若干词元中选择。留空：全部。",
      { advanced: true },
    ),
  };
}
