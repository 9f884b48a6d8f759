// Which end of a metric is the good one, as its name says: for whoever marks the better of two values.

const LOWER_IS_BETTER =
  /(^|[/_])(loss|error|err|perplexity|ppl|bpb|mae|mse|rmse|wer|cer|latency|forgetting)/i;
const HIGHER_IS_BETTER =
  /(^|[/_])(accuracy|acc|precision|recall|f1|auc|bleu|rouge|score|reward|iou|r2)(_|$|[0-9])/i;

/**
 * Null of a metric whose name says nothing, such as an entropy: nobody knows which end of it is good.
 * @example metricDirection("val/loss") // "lower"
 */
export function metricDirection(name: string): "higher" | "lower" | null {
  if (LOWER_IS_BETTER.test(name)) return "lower";
  return HIGHER_IS_BETTER.test(name) ? "higher" : null;
}
