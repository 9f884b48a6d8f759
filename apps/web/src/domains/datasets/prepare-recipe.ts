// Which recipe a dataset is for, as far as its kind, files and columns say. Pure.
import type { Dataset, DatasetVersion, RecipeName } from "@spotter/contract";

const CONVERSATION: ReadonlySet<string> = new Set(["messages", "instruction", "prompt"]);
/** Files that a language model learns from as they are. */
const PROSE = [".txt", ".jsonl", ".md", ".ndjson"];

export function recipeOf(
  kind: Dataset["kind"],
  version: Pick<DatasetVersion, "classes" | "columns" | "file_types"> | null,
): RecipeName {
  if (kind === "audio-folder") return "audio";
  if (kind === "image-folder") return "vision";
  if (version === null) return "text-lm";
  const { classes, columns, file_types: types } = version;
  // Conversations and tasks with answers are for tuning; texts with classes to be told apart, others to be continued.
  if (columns.some((column) => CONVERSATION.has(column))) return "text-finetune";
  if (Object.keys(classes).length > 1) return "text-classify";
  if (PROSE.some((type) => type in types)) return "text-lm";
  // A table: its form asks which columns hold text and label, unless it is plainly texts alone.
  return columns.includes("text") || ".parquet" in types ? "text-finetune" : "text-classify";
}
