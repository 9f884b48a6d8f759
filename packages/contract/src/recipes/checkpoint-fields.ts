// The shared config fields of when checkpoints are written and which stay.
import { z } from "zod";
import { field } from "./field.ts";
import type { LoopDefaults } from "./loop-defaults.ts";

export function checkpointFields(defaults: LoopDefaults) {
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
