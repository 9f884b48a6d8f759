// What an empty value of a config means, in one word: the pages and the command line say the same.

/**
 * - `off`: nothing of the kind happens.
 * - `automatic`: the recipe chooses.
 * - `none`: there is no such thing; what no word is known for.
 */
export type NullWord = "off" | "automatic" | "none";

const WORDS: Readonly<Record<string, NullWord>> = {
  // Gradients of any length are let through; no step ends the training before its epochs do.
  gradient_clip: "off",
  max_steps: "off",
  ema_decay: "off",
  early_stopping_patience: "off",
  // After each epoch; in epochs.
  eval_every_steps: "automatic",
  warmup_steps: "automatic",
};
/** Numbers that a training cannot do without: left empty, the recipe has chosen them. */
const ALWAYS_THERE: readonly string[] = [
  ...["learning_rate", "weight_decay", "momentum", "beta1", "beta2"],
  ...["dropout", "label_smoothing", "batch_size", "epochs"],
];

/** @example nullWordOf("gradient_clip") // "off" */
export function nullWordOf(key: string): NullWord {
  return WORDS[key] ?? (ALWAYS_THERE.includes(key) ? "automatic" : "none");
}
