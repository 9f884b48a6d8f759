// The config fields that every trained recipe shares, because one loop reads them: optimiser, schedule, precision,
// evaluation, checkpoints, resources. A recipe gives its own defaults.
import { OwnModelSource } from "../sources.ts";
import { checkpointFields } from "./checkpoint-fields.ts";
import { field } from "./field.ts";
import { type LoopDefaults, usual } from "./loop-defaults.ts";
import { extentFields, optimizerFields, regularizationFields } from "./optimizer-fields.ts";
import { loaderFields, resourceFields } from "./resource-fields.ts";
import { dropFields, evaluationFields, scheduleFields } from "./schedule-fields.ts";

/** The shared fields with a recipe's defaults; spread them into its object. */
export function loopFields(own: Partial<LoopDefaults> = {}) {
  const defaults = { ...usual, ...own };
  return {
    ...extentFields(defaults),
    ...optimizerFields(defaults),
    ...regularizationFields(defaults),
    ...scheduleFields(defaults),
    ...dropFields(),
    ...evaluationFields(defaults),
    ...checkpointFields(defaults),
    ...learningOnFields(),
    ...resourceFields(),
    ...loaderFields(),
  };
}

function learningOnFields() {
  return {
    init_from: field(
      OwnModelSource.nullable().default(null),
      "model",
      "Start from",
      "起始权重",
      "Begins with the weights of a model version instead of random ones. Empty: from scratch.",
      "以某个模型版本的权重开始，而非随机初始化。留空：从头训练。",
    ),
  };
}
