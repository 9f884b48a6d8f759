// What a config must have in common with the model that it starts from: whatever shapes the weights.
import type { ErrorIssue } from "../errors.ts";
import type { RecipeName } from "./recipes.ts";

type Config = Readonly<Record<string, unknown>>;

/** Fields that shape the weights, in the order of the form; in `architecture` where the card says it under another name. */
const SHAPING: Readonly<Partial<Record<RecipeName, readonly string[]>>> = {
  vision: ["model", "width"],
  audio: ["num_mels", "moments_per_step", "model", "layers", "width", "bidirectional"],
  "text-classify": ["max_tokens", "layers", "heads", "width"],
  concept: ["fusion", "width", "num_layers"],
  "text-lm": ["shape", "layers", "width", "heads", "kv_heads", "ffn_width", "tie_embeddings"],
};
const EXPERTS = ["experts", "expert_width", "dense_layers", "latent_width"];

/** @param card what the model's weights folder says: the config that it was trained by; @param name the model's own */
export function startingModelIssues(
  recipe: RecipeName,
  config: Config,
  card: Config,
  name: string,
): ErrorIssue[] {
  const theirs = card.config;
  if (card.recipe !== recipe || typeof theirs !== "object" || theirs === null) return [];
  const hasExperts = recipe === "text-lm" && config.shape === "deepseek-v3";
  return [...(SHAPING[recipe] ?? []), ...(hasExperts ? EXPERTS : [])].flatMap((field) => {
    const [own, other] = [config[field], (theirs as Config)[field]];
    // Nothing stands for a number that the recipe derives from others.
    if (own === null || other === null || other === undefined || own === other) return [];
    const message = `is ${own}, and the starting model ${name} has ${other}; set it to ${other}`;
    return [{ path: field, message }];
  });
}
