// The config fields that recipes sorting into classes share: the split, and how much a rare class counts.
import { z } from "zod";
import { field } from "./field.ts";

/** What is kept from the training, by share; the same seed always gives the same split. */
export function splitFields() {
  return {
    validation_fraction: field(
      z.number().min(0.02).max(0.5).default(0.15),
      "data",
      "Validation share",
      "验证集比例",
      "Of what the test leaves, the share that chooses the best model and never trains it.",
      "在留出测试集之后，用于挑选最佳模型、不参与训练的样本比例。",
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
  };
}

/** Weights of classes in the loss. */
export function classWeightField() {
  return {
    class_weights: field(
      z.enum(["off", "balanced"]).default("off"),
      "regularization",
      "Class weights",
      "类别权重",
      "balanced: an example of a rare class counts more, so that every class has the same say. off: every example counts the same.",
      "balanced：稀有类别的样本权重更大，使各类别影响相同。off：每个样本权重相同。",
    ),
  };
}
