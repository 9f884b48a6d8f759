// What the labels of a run's files mean: a checkpoint may be the best of those that were kept, weights those of the best
// evaluation of all. These are two things, and the words for them must not be taken for one.
import type { RunFile, RunSummary } from "./runs.ts";

export type FileLabel = "bestKept" | "last" | "bestWeights" | "lastWeights" | "final";

/**
 * What a file's label says; null where it has none of ours.
 * @param best the run's best evaluation
 * @example fileLabelOf({ kind: "checkpoint", label: "best", step: 880 }, run.best) // "bestKept"
 */
export function fileLabelOf(
  file: Pick<RunFile, "kind" | "label" | "step">,
  best: RunSummary["best"],
): FileLabel | null {
  if (file.kind === "checkpoint") {
    if (file.label === "best") return "bestKept";
    return file.label === "last" ? "last" : null;
  }
  if (file.label !== "final") return null;
  if (file.kind !== "weights") return "final";
  // Without an evaluation the weights as they stood at the end are all that there is.
  return best !== null && best.step === file.step ? "bestWeights" : "lastWeights";
}
