// Which fields of a recipe's config a fork cannot change, because its weights, its classes or its vocabulary would
// mean something else; and which changes cost it part of its state.
import type { FieldMeta } from "./field.ts";
import { type RecipeName, recipes } from "./recipes.ts";

/** Why a field is fixed. */
export type FixedBecause = "architecture" | "vocabulary" | "classes" | "earlier-learning";

const ARCHITECTURE: readonly string[] = ["image_size", "num_mels", "max_tokens", "context"];
const VOCABULARY: readonly string[] = ["tokenizer", "tokens", "vocabulary_size", "language"];
const CLASSES: readonly string[] = ["class_subset"];
/** What a run prepares from earlier models and data before its first step. */
const EARLIER: readonly string[] = [
  "old_data",
  "old_class_subset",
  "replay_examples",
  "ewc_lambda",
  "distill_from",
  "mutual_students",
];
/** Recipes whose vocabulary is made from their training data. */
const OWN_VOCABULARY: readonly RecipeName[] = ["text-lm", "text-classify", "concept"];
const MAKES_VOCABULARY: readonly string[] = [
  "data",
  "text_field",
  "text_column",
  "label_column",
  "validation_fraction",
  "test_fraction",
  "split_seed",
  "num_images",
  "num_objects",
  "data_seed",
];
/** Of the section "model", what decides only how it is computed. */
const HOW_COMPUTED: readonly string[] = ["gradient_checkpointing"];

/** Null where a fork may change the field. */
export function fixedInFork(recipe: RecipeName, key: string): FixedBecause | null {
  if (ARCHITECTURE.includes(key) && !(key === "context" && recipe === "text-finetune"))
    return "architecture";
  if (VOCABULARY.includes(key)) return "vocabulary";
  if (CLASSES.includes(key)) return "classes";
  if (EARLIER.includes(key)) return "earlier-learning";
  if (key === "mutual_widths") return "architecture";
  if (OWN_VOCABULARY.includes(recipe) && MAKES_VOCABULARY.includes(key)) return "vocabulary";
  return sectionOf(recipe, key) === "model" && !HOW_COMPUTED.includes(key) ? "architecture" : null;
}

/** Fields whose change makes other batches: the place in an epoch then says nothing. */
export const BATCH_FIELDS: readonly string[] = [
  "batch_size",
  "seed",
  "data",
  "batching",
  "validation_fraction",
  "test_fraction",
  "split_seed",
  "replay_share",
  "context",
  "processes",
];
/** Fields whose change leaves the random generators' states without meaning. */
export const RANDOM_FIELDS: readonly string[] = ["seed", "device", "processes"];
/** Fields whose change lets examples of the training become examples of the validation. */
export const SPLIT_FIELDS: readonly string[] = [
  "validation_fraction",
  "test_fraction",
  "split_seed",
];

function sectionOf(recipe: RecipeName, key: string): string | undefined {
  const shape = (
    recipes[recipe].config as unknown as { shape: Record<string, { meta(): unknown }> }
  ).shape;
  return (shape[key]?.meta() as FieldMeta | undefined)?.section;
}
