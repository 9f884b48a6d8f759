// The `audio` recipe's config: what can be set, within which bounds, and help on each in both languages.
import { z } from "zod";
import { FileSource } from "../sources.ts";
import { classWeightField, splitFields } from "./classifier-fields.ts";
import { field } from "./field.ts";
import { learningFields } from "./learning-fields.ts";
import { loopFields } from "./loop-fields.ts";

function soundFields() {
  return {
    sample_rate: field(
      z.number().int().min(4000).max(48_000).nullable().default(null),
      "data",
      "Sample rate",
      "采样率",
      "Every recording is resampled to it. Empty: the files' most frequent rate, at most 16,000.",
      "所有录音重采样到该采样率。留空：取文件中最常见的采样率，最高 16,000。",
      { unit: "Hz" },
    ),
    max_seconds: field(
      z.number().min(0.1).max(120).default(10),
      "data",
      "Longest recording",
      "最长时长",
      "Of a longer recording only the beginning is used.",
      "更长的录音只使用开头部分。",
      { unit: "s" },
    ),
    num_mels: field(
      z.number().int().min(8).max(256).default(40),
      "data",
      "Mel bands",
      "梅尔频带数",
      "Frequency bands that a moment of sound is described by; 40 suits speech, 64–128 suits music and noises.",
      "描述每一时刻声音的频带数；语音常用 40，音乐与环境声用 64–128。",
    ),
    window_ms: field(
      z.number().min(5).max(200).default(25),
      "data",
      "Window",
      "分析窗长",
      "Length of the moment that one spectrum is taken from.",
      "计算一个频谱所用的时长。",
      { unit: "ms", advanced: true },
    ),
    hop_ms: field(
      z.number().min(2).max(100).default(10),
      "data",
      "Hop",
      "帧移",
      "Time from one spectrum to the next; longer is faster and coarser.",
      "相邻两个频谱的时间间隔；越长越快，但更粗略。",
      { unit: "ms", advanced: true },
    ),
  };
}

function maskFields() {
  return {
    time_masks: field(
      z.number().int().min(0).max(10).default(2),
      "data",
      "Time masks",
      "时间遮罩数",
      "SpecAugment: stretches of time that are blanked out at random while training. 0: none.",
      "SpecAugment：训练时随机遮盖的时间段数。0 表示不用。",
    ),
    time_mask_share: field(
      z.number().min(0).max(0.5).default(0.15),
      "data",
      "Longest time mask",
      "最长时间遮罩",
      "As a share of the recording.",
      "占录音时长的比例。",
      { advanced: true },
    ),
    frequency_masks: field(
      z.number().int().min(0).max(10).default(2),
      "data",
      "Frequency masks",
      "频率遮罩数",
      "SpecAugment: ranges of bands that are blanked out at random while training. 0: none.",
      "SpecAugment：训练时随机遮盖的频带区段数。0 表示不用。",
    ),
    frequency_mask_share: field(
      z.number().min(0).max(0.5).default(0.15),
      "data",
      "Widest frequency mask",
      "最宽频率遮罩",
      "As a share of the bands.",
      "占频带数的比例。",
      { advanced: true },
    ),
  };
}

function networkFields() {
  return {
    model: field(
      z.enum(["lstm", "gru"]).default("lstm"),
      "model",
      "Model",
      "模型",
      "Both read the sound from moment to moment; gru has a quarter fewer weights.",
      "两者都逐帧读取声音；gru 的权重少四分之一。",
    ),
    layers: field(
      z.number().int().min(1).max(8).default(2),
      "model",
      "Layers",
      "层数",
      "Recurrent layers on top of each other.",
      "循环层的数量。",
    ),
    moments_per_step: field(
      z.number().int().min(1).max(16).default(3),
      "model",
      "Moments per step",
      "每步帧数",
      "Neighbouring spectra that the network reads at once: more is faster and hears less of quick changes.",
      "网络每步同时读取的相邻频谱数：越多越快，但对快速变化不敏感。",
      { advanced: true },
    ),
    width: field(
      z.number().int().min(4).max(2048).default(96),
      "model",
      "Width",
      "宽度",
      "Features of a layer in each direction.",
      "每层每个方向的特征数。",
    ),
    bidirectional: field(
      z.boolean().default(true),
      "model",
      "Both directions",
      "双向",
      "Reads the sound forwards and backwards.",
      "同时正向与反向读取声音。",
    ),
    dropout: field(
      z.number().min(0).max(0.9).default(0.2),
      "regularization",
      "Dropout",
      "随机失活",
      "Share of features that are dropped between layers and before the last one while training.",
      "训练时在各层之间及最后一层之前随机丢弃的特征比例。",
    ),
  };
}

/** Sound classification with a recurrent network on log-mel spectra. */
export const AudioConfig = z
  .object({
    data: field(
      FileSource,
      "data",
      "Data",
      "数据",
      "Where the recordings come from: a folder with one sub-folder a class of WAV or FLAC files, or an uploaded dataset version of that kind.",
      "录音来源：每类一个子文件夹的 WAV 或 FLAC 目录，或已上传的同类数据集版本。",
    ),
    ...soundFields(),
    ...splitFields(),
    ...maskFields(),
    ...networkFields(),
    ...classWeightField(),
    ...learningFields(FileSource),
    ...loopFields({ epochs: 25, batch_size: 64, learning_rate: 0.002, warmup_epochs: 1 }),
  })
  .strict();
export type AudioConfig = z.infer<typeof AudioConfig>;
