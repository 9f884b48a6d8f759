// Which recipe a dataset is for, as far as its kind and columns say. Pure.
import type { Dataset, DatasetVersion, RecipeName } from "@spotter/contract";

const CONVERSATION: ReadonlySet<string> = new Set(["messages", "instruction", "prompt"]);

export function recipeOf(
  kind: Dataset["kind"],
  version: Pick<DatasetVersion, "classes" | "columns"> | null,
): RecipeName {
  if (kind === "audio-folder") return "audio";
  if (kind === "image-folder") return "vision";
  // Conversations and tasks with answers are for tuning; texts with classes to be told apart, others to be continued.
  if (version?.columns.some((column) => CONVERSATION.has(column)) === true) return "text-finetune";
  return Object.keys(version?.classes ?? {}).length > 1 ? "text-classify" : "text-lm";
}
